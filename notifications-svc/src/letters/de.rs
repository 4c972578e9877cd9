//! German.

use shared_events::ledger::RejectReason;

use super::phrases::{Topical, Words};

pub(crate) const WORDS: Words = Words {
    decimal_mark: ',',
    group_mark: '.',
    date_format: "%d.%m.%Y",
    greeting: "Guten Tag {name},",
    farewell: "Ihre Bank",
    footer: "Diese E-Mail wurde maschinell erstellt. Bitte antworten Sie nicht darauf.",

    paid_out: Topical {
        subject: "Abbuchung über {amount}",
        sentence: "Von Ihrem Konto wurden {amount} abgebucht.",
    },
    paid_in: Topical {
        subject: "Gutschrift über {amount}",
        sentence: "Ihrem Konto wurden {amount} gutgeschrieben.",
    },
    rejected: Topical {
        subject: "Zahlung über {amount} nicht ausgeführt",
        sentence: "Die Zahlung über {amount} von Ihrem Konto wurde abgelehnt. Es wurde kein Geld \
                   bewegt.",
    },
    paid_back: Topical {
        subject: "Rückzahlung über {amount}",
        sentence: "Auf Ihr Konto kamen {amount} zurück: eine Zahlung von Ihrem Konto \
                   wurde zurückgebucht.",
    },
    taken_back: Topical {
        subject: "Rückbuchung über {amount}",
        sentence: "Von Ihrem Konto gingen {amount} zurück: eine Gutschrift wurde \
                   zurückgebucht.",
    },
    held: Topical {
        subject: "Reservierung über {amount}",
        sentence: "Auf Ihrem Konto wurden {amount} reserviert. Das Geld gehört \
                   weiterhin Ihnen, ist aber nicht verfügbar, bis es bezahlt oder \
                   freigegeben wird.",
    },
    released: Topical {
        subject: "Reservierung über {amount} aufgehoben",
        sentence: "Die Reservierung über {amount} auf Ihrem Konto wurde aufgehoben. \
                   Es wurde nichts bezahlt, Sie können wieder darüber verfügen.",
    },
    expired: Topical {
        subject: "Reservierung über {amount} abgelaufen",
        sentence: "Die Reservierung über {amount} auf Ihrem Konto ist abgelaufen. Es \
                   wurde nichts bezahlt, Sie können wieder darüber verfügen.",
    },
    frozen: Topical {
        subject: "Ihr Konto ist gesperrt",
        sentence: "Ihr Konto wurde gesperrt. Bis auf Weiteres sind weder Ein- noch Auszahlungen \
                   möglich.",
    },
    frozen_out: Topical {
        subject: "Ihr Konto ist für Auszahlungen gesperrt",
        sentence: "Ihr Konto wurde für Auszahlungen gesperrt. Bis auf Weiteres kann \
                   kein Geld abgehen; Einzahlungen sind weiterhin möglich.",
    },
    frozen_in: Topical {
        subject: "Ihr Konto ist für Einzahlungen gesperrt",
        sentence: "Ihr Konto wurde für Einzahlungen gesperrt. Bis auf Weiteres kann \
                   kein Geld eingehen; Auszahlungen sind weiterhin möglich.",
    },
    unfrozen: Topical {
        subject: "Ihr Konto ist wieder nutzbar",
        sentence: "Die Sperre Ihres Kontos wurde aufgehoben. Sie können es wie zuvor nutzen.",
    },
    closed: Topical {
        subject: "Ihr Konto ist geschlossen",
        sentence: "Ihr Konto wurde geschlossen.",
    },

    account: "Konto",
    amount: "Betrag",
    debtor: "Auftraggeber",
    creditor: "Empfänger",
    reference: "Verwendungszweck",
    end_to_end_id: "Kundenreferenz",
    booked_on: "Gebucht am",
    balance: "Kontostand",
    available: "Verfügbar",
    held_until: "Reserviert bis",
    rate: "Kurs",
    reason: "Grund",

    somebody: "ein anderes Konto",
    cash: "Bargeld",
    cards: "Kartenzahlung",
    fees: "die Bank, Gebühren",
    interest: "die Bank, Zinsen",
    penalty_interest: "die Bank, Strafzinsen",
    interest_received: "die Bank, Sollzinsen",
    exchange: "die Bank, Devisentausch",
    rounding: "die Bank, Rundung",
    other_bank: "ein Konto bei einer anderen Bank ({bank})",

    reason_of,
};

const fn reason_of(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::ReservedId => "die Kennung der Zahlung ist der Bank vorbehalten",
        RejectReason::IdempotencyConflict => "die Kennung der Zahlung wurde schon verwendet",
        RejectReason::AmountNotPositive => "der Betrag ist nicht größer als null",
        RejectReason::TooManyDigits => "der Betrag hat mehr Nachkommastellen als seine Währung",
        RejectReason::AmountTooLarge => "der Betrag ist zu hoch",
        RejectReason::UnsupportedCurrency => "die Währung wird nicht unterstützt",
        RejectReason::InvalidText => "der Verwendungszweck ist zu lang oder hat Steuerzeichen",
        RejectReason::InvalidBookingDate => "das Buchungsdatum ist nicht gültig",
        RejectReason::PeriodClosed => "der Zeitraum des Buchungsdatums ist abgeschlossen",
        RejectReason::BookingDateTooLate => "das Buchungsdatum liegt zu spät",
        RejectReason::InvalidValueDate => "das Datum der Wertstellung ist nicht gültig",
        RejectReason::InvalidExpiry => "die Reservierung endete in der Vergangenheit oder zu spät",
        RejectReason::TooFewLegs
        | RejectReason::TooManyLegs
        | RejectReason::UnbalancedLegs
        | RejectReason::InvalidRate
        | RejectReason::SameCurrency => "die Zahlung hat nicht die richtige Form",
        RejectReason::UnknownHold
        | RejectReason::HoldCaptured
        | RejectReason::HoldReleased
        | RejectReason::HoldExpired
        | RejectReason::ExceedsHold => "das Geld ist nicht mehr reserviert",
        RejectReason::UnknownTransfer
        | RejectReason::NotReversible
        | RejectReason::ExceedsOriginal => {
            "die Zahlung lässt sich nicht oder nicht in dieser Höhe zurückbuchen"
        }
        RejectReason::SameAccount => "sie ginge an dasselbe Konto",
        RejectReason::UnknownAccount => "das Konto gibt es nicht",
        RejectReason::AccountClosed => "eines der Konten ist geschlossen",
        RejectReason::AccountFrozen => "eines der Konten ist gesperrt",
        RejectReason::AccountNotActive => "eines der Konten ist nicht aktiv",
        RejectReason::CurrencyMismatch => "eines der Konten wird in einer anderen Währung geführt",
        RejectReason::TransferLimit => "der Betrag liegt über dem Limit für eine Zahlung",
        RejectReason::DailyLimit => "das Tageslimit ist ausgeschöpft",
        RejectReason::MonthlyLimit => "das Monatslimit ist ausgeschöpft",
        RejectReason::MinimumBalance => "auf dem Konto bliebe zu wenig",
        RejectReason::InsufficientFunds => "auf dem Konto ist nicht genug Geld",
        RejectReason::BalanceTooLarge => {
            "auf einem Konto wäre mehr, als die Bank darauf führen kann"
        }
        RejectReason::GroupRejected => {
            "sie gehört zu anderen Zahlungen, und eine davon wurde abgelehnt"
        }
    }
}
