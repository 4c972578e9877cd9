//! The document, element by element, in the order of the schema.

use chrono::{NaiveDate, SecondsFormat};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesStart, BytesText, Event},
};
use rust_decimal::Decimal;
use shared_events::{
    Amount, Currency, Money,
    ledger::{Direction, StatementEntry},
    money::exact::{exact_add, exact_sub},
    text::visible,
};

use super::{
    AccountName, Document, Side,
    codes::{name_of, transaction_code},
    is_carried,
    numbers::{message_id, sequence_number, statement_id},
    transfer_reference,
};

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08";
/// The placeholder for an end-to-end id that the debtor did not give (EPC rule books).
const NOT_PROVIDED: &str = "NOTPROVIDED";

/// An XML document that grows in memory, which never fails.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn event(&mut self, event: Event<'_>) {
        self.0.write_event(event).expect("memory takes all that is written");
    }

    /// An element with the content that `inside` writes.
    fn nest(&mut self, start: BytesStart<'_>, inside: impl FnOnce(&mut Self)) {
        let end = start.to_end().into_owned();
        self.event(Event::Start(start));
        inside(self);
        self.event(Event::End(end));
    }

    fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.nest(BytesStart::new(name), inside);
    }

    /// An element with a text, of which every character is one that XML has.
    fn text(&mut self, name: &str, text: &str) {
        let text = visible(text);
        self.within(name, |xml| xml.event(Event::Text(BytesText::new(&text))));
    }

    fn amount(&mut self, amount: Decimal, currency: Currency) {
        let start = BytesStart::new("Amt").with_attributes([("Ccy", currency.code())]);
        let text = digits(amount, currency);
        self.nest(start, |xml| xml.event(Event::Text(BytesText::new(&text))));
    }
}

pub(super) fn document(of: &Document<'_>) -> String {
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 1));
    xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let root = BytesStart::new("Document").with_attributes([("xmlns", NAMESPACE)]);
    xml.nest(root, |xml| {
        xml.within("BkToCstmrStmt", |xml| {
            xml.within("GrpHdr", |xml| {
                xml.text("MsgId", &message_id(of));
                created_at(xml, of);
            });
            xml.within("Stmt", |xml| statement(xml, of));
        });
    });
    let mut bytes = xml.0.into_inner();
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("texts are UTF-8, and so is what is made of them")
}

fn created_at(xml: &mut Xml, of: &Document<'_>) {
    xml.text("CreDtTm", &of.created_at.to_rfc3339_opts(SecondsFormat::Secs, true));
}

fn statement(xml: &mut Xml, of: &Document<'_>) {
    let (from, to) = of.days;
    let (period, currency) = (of.period, of.statement.currency);
    let number = sequence_number(of.days).to_string();
    xml.text("Id", &statement_id(of));
    xml.text("ElctrncSeqNb", &number);
    xml.text("LglSeqNb", &number);
    created_at(xml, of);
    // Without an offset: these are the bank's days.
    xml.within("FrToDt", |xml| {
        xml.text("FrDtTm", &format!("{from}T00:00:00"));
        xml.text("ToDtTm", &format!("{to}T23:59:59"));
    });
    xml.within("Acct", |xml| {
        account_id(xml, &of.owner.account);
        xml.text("Ccy", currency.code());
        account_name(xml, &of.owner.account);
        xml.within("Ownr", |xml| xml.text("Nm", &of.owner.name));
        xml.within("Svcr", |xml| {
            xml.within("FinInstnId", |xml| {
                if let Some(bic) = &of.servicer.bic {
                    xml.text("BICFI", bic);
                }
                xml.text("Nm", &of.servicer.name);
            });
        });
    });
    balance(xml, "OPBD", period.opening_balance, currency, from);
    balance(xml, "CLBD", period.closing_balance, currency, to);
    xml.within("TxsSummry", |xml| summary(xml, of));
    for entry in &of.statement.entries {
        xml.within("Ntry", |xml| booked(xml, of, entry));
    }
}

fn balance(xml: &mut Xml, code: &str, amount: Amount, currency: Currency, day: NaiveDate) {
    xml.within("Bal", |xml| {
        xml.within("Tp", |xml| xml.within("CdOrPrtry", |xml| xml.text("Cd", code)));
        xml.amount(amount.decimal().abs(), currency);
        indicator(xml, amount.decimal());
        xml.within("Dt", |xml| xml.text("Dt", &day.to_string()));
    });
}

fn summary(xml: &mut Xml, of: &Document<'_>) {
    let (period, currency) = (of.period, of.statement.currency);
    let (debits, credits) = (period.debits.decimal(), period.credits.decimal());
    // Each amount is carried, and yet their sum may have a digit too many: it is left out then.
    let carried = |sum: Option<Decimal>| sum.filter(|sum| is_carried(*sum, currency));
    let part = |xml: &mut Xml, count: i64, sum: Option<Decimal>| {
        xml.text("NbOfNtries", &count.to_string());
        if let Some(sum) = carried(sum) {
            xml.text("Sum", &digits(sum, currency));
        }
    };
    xml.within("TtlNtries", |xml| {
        part(xml, period.debit_count + period.credit_count, exact_add(debits, credits));
        if let Some(net) = carried(exact_sub(credits, debits)) {
            xml.within("TtlNetNtry", |xml| {
                xml.text("Amt", &digits(net.abs(), currency));
                indicator(xml, net);
            });
        }
    });
    xml.within("TtlCdtNtries", |xml| part(xml, period.credit_count, Some(credits)));
    xml.within("TtlDbtNtries", |xml| part(xml, period.debit_count, Some(debits)));
}

fn booked(xml: &mut Xml, of: &Document<'_>, entry: &StatementEntry) {
    let currency = of.statement.currency;
    let indicator = match entry.direction {
        Direction::Debit => "DBIT",
        Direction::Credit => "CRDT",
    };
    let value_date = entry.value_date.unwrap_or(entry.booking_date);
    xml.text("NtryRef", &entry.version.to_string());
    xml.amount(entry.amount.decimal(), currency);
    xml.text("CdtDbtInd", indicator);
    if entry.reverses.is_some() {
        xml.text("RvslInd", "true");
    }
    xml.within("Sts", |xml| xml.text("Cd", "BOOK"));
    xml.within("BookgDt", |xml| xml.text("Dt", &entry.booking_date.to_string()));
    xml.within("ValDt", |xml| xml.text("Dt", &value_date.to_string()));
    xml.text("AcctSvcrRef", &transfer_reference(entry));
    let other = of.sides[&entry.counterparty].currency;
    let [domain, family, sub_family] = transaction_code(entry, currency, other);
    xml.within("BkTxCd", |xml| {
        xml.within("Domn", |xml| {
            xml.text("Cd", domain);
            xml.within("Fmly", |xml| {
                xml.text("Cd", family);
                xml.text("SubFmlyCd", sub_family);
            });
        });
    });
    xml.within("NtryDtls", |xml| xml.within("TxDtls", |xml| details(xml, of, entry, indicator)));
}

fn details(xml: &mut Xml, of: &Document<'_>, entry: &StatementEntry, indicator: &str) {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    xml.within("Refs", |xml| {
        xml.text("AcctSvcrRef", &transfer_reference(entry));
        let end_to_end_id = given(&entry.end_to_end_id);
        xml.text("EndToEndId", end_to_end_id.as_deref().unwrap_or(NOT_PROVIDED));
    });
    xml.amount(entry.amount.decimal(), of.statement.currency);
    xml.text("CdtDbtInd", indicator);
    let other = &of.sides[&entry.counterparty];
    let (debtor, creditor) = match entry.direction {
        Direction::Debit => (of.owner, other),
        Direction::Credit => (other, of.owner),
    };
    xml.within("RltdPties", |xml| {
        party(xml, "Dbtr", debtor);
        party(xml, "Cdtr", creditor);
    });
    if let Some(reference) = given(&entry.reference) {
        xml.within("RmtInf", |xml| xml.text("Ustrd", &reference));
    }
}

fn party(xml: &mut Xml, role: &str, side: &Side) {
    xml.within(role, |xml| xml.within("Pty", |xml| xml.text("Nm", &side.name)));
    xml.within(&format!("{role}Acct"), |xml| {
        account_id(xml, &side.account);
        account_name(xml, &side.account);
    });
}

fn account_id(xml: &mut Xml, account: &AccountName) {
    xml.within("Id", |xml| match account {
        AccountName::Iban(iban) => xml.text("IBAN", iban),
        AccountName::Own(code) => xml.within("Othr", |xml| xml.text("Id", &code.0)),
    });
}

/// Customers' accounts have no name but their holder's.
fn account_name(xml: &mut Xml, account: &AccountName) {
    if let AccountName::Own(code) = account {
        xml.text("Nm", &name_of(code));
    }
}

fn indicator(xml: &mut Xml, amount: Decimal) {
    let is_debit = amount.is_sign_negative() && !amount.is_zero();
    xml.text("CdtDbtInd", if is_debit { "DBIT" } else { "CRDT" });
}

/// With the currency's digits, as an XML decimal.
fn digits(amount: Decimal, currency: Currency) -> String {
    let money = Money { amount: Amount(amount), currency }.to_string();
    money.split_once(' ').map_or(money.clone(), |(amount, _)| amount.to_owned())
}
