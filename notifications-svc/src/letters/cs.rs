//! Czech.

use shared_events::ledger::RejectReason;

use super::phrases::{Topical, Words};

pub(crate) const WORDS: Words = Words {
    decimal_mark: ',',
    // A space that does not break a line.
    group_mark: '\u{a0}',
    date_format: "%-d. %-m. %Y",
    // Without the name, which would need its vocative.
    greeting: "Dobrý den,",
    farewell: "Vaše banka",
    footer: "Tento e-mail byl vytvořen automaticky. Prosíme, neodpovídejte na něj.",

    paid_out: Topical {
        subject: "Z Vašeho účtu odešlo {amount}",
        sentence: "Z Vašeho účtu bylo odepsáno {amount}.",
    },
    paid_in: Topical {
        subject: "Na Váš účet přišlo {amount}",
        sentence: "Na Váš účet bylo připsáno {amount}.",
    },
    rejected: Topical {
        subject: "Platba {amount} nebyla provedena",
        sentence: "Platba {amount} z Vašeho účtu byla zamítnuta. Žádné peníze se nepohnuly.",
    },
    paid_back: Topical {
        subject: "Vrátilo se Vám {amount}",
        sentence: "Na Váš účet se vrátilo {amount}: platba z něj byla stornována.",
    },
    taken_back: Topical {
        subject: "Z Vašeho účtu bylo vráceno {amount}",
        sentence: "Z Vašeho účtu bylo vráceno {amount}: platba ve Váš prospěch byla \
                   stornována.",
    },
    held: Topical {
        subject: "Na Vašem účtu je blokováno {amount}",
        sentence: "Na Vašem účtu bylo zablokováno {amount}. Peníze jsou stále Vaše, \
                   ale dokud nebudou zaplaceny nebo uvolněny, nelze je utratit.",
    },
    released: Topical {
        subject: "{amount} už není blokováno",
        sentence: "Blokace {amount} na Vašem účtu byla zrušena. Nic nebylo zaplaceno \
                   a peníze můžete opět používat.",
    },
    expired: Topical {
        subject: "{amount} už není blokováno",
        sentence: "Doba, po kterou bylo na Vašem účtu blokováno {amount}, uplynula. \
                   Nic nebylo zaplaceno a peníze můžete opět používat.",
    },
    frozen: Topical {
        subject: "Váš účet je zablokován",
        sentence: "Váš účet byl zablokován. Až do odvolání na něj ani z něj nelze platit.",
    },
    frozen_out: Topical {
        subject: "Váš účet je zablokován pro odchozí platby",
        sentence: "Váš účet byl zablokován pro odchozí platby. Až do odvolání z něj \
                   nelze platit; přijímat platby může.",
    },
    frozen_in: Topical {
        subject: "Váš účet je zablokován pro příchozí platby",
        sentence: "Váš účet byl zablokován pro příchozí platby. Až do odvolání na něj \
                   nelze platit; platit z něj můžete.",
    },
    unfrozen: Topical {
        subject: "Váš účet lze opět používat",
        sentence: "Váš účet byl odblokován. Můžete jej používat jako dříve.",
    },
    closed: Topical { subject: "Váš účet je zrušen", sentence: "Váš účet byl zrušen." },

    account: "Účet",
    amount: "Částka",
    debtor: "Plátce",
    creditor: "Příjemce",
    reference: "Zpráva",
    end_to_end_id: "Reference platby",
    booked_on: "Zaúčtováno",
    balance: "Zůstatek",
    available: "K dispozici",
    held_until: "Blokováno do",
    rate: "Kurz",
    reason: "Důvod",

    somebody: "jiný účet",
    cash: "hotovost",
    cards: "platba kartou",
    fees: "banka, poplatky",
    interest: "banka, úroky",
    penalty_interest: "banka, sankční úroky",
    interest_received: "banka, úroky z dluhu",
    exchange: "banka, směna měn",
    rounding: "banka, zaokrouhlení",
    other_bank: "účet u jiné banky ({bank})",

    reason_of,
};

const fn reason_of(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::ReservedId => "identifikátor platby patří bance",
        RejectReason::IdempotencyConflict => "identifikátor platby už byl použit",
        RejectReason::AmountNotPositive => "částka není větší než nula",
        RejectReason::TooManyDigits => "částka má více desetinných míst než její měna",
        RejectReason::AmountTooLarge => "částka je příliš vysoká",
        RejectReason::UnsupportedCurrency => "měna není podporována",
        RejectReason::InvalidText => "zpráva má nepovolené znaky nebo je příliš dlouhá",
        RejectReason::InvalidBookingDate => "datum zaúčtování není platné",
        RejectReason::PeriodClosed => "období data zaúčtování je uzavřeno",
        RejectReason::BookingDateTooLate => "datum zaúčtování je příliš pozdě",
        RejectReason::InvalidValueDate => "datum valuty není platné",
        RejectReason::InvalidExpiry => "blokace by skončila v minulosti nebo příliš pozdě",
        RejectReason::TooFewLegs
        | RejectReason::TooManyLegs
        | RejectReason::UnbalancedLegs
        | RejectReason::InvalidRate
        | RejectReason::SameCurrency => "platba nemá správný tvar",
        RejectReason::UnknownHold
        | RejectReason::HoldCaptured
        | RejectReason::HoldReleased
        | RejectReason::HoldExpired
        | RejectReason::ExceedsHold => "peníze už nejsou blokovány",
        RejectReason::UnknownTransfer
        | RejectReason::NotReversible
        | RejectReason::ExceedsOriginal => "platbu nelze vrátit, nebo ne v této výši",
        RejectReason::SameAccount => "příjemcem je tentýž účet",
        RejectReason::UnknownAccount => "takový účet neexistuje",
        RejectReason::AccountClosed => "jeden z účtů je zrušen",
        RejectReason::AccountFrozen => "jeden z účtů je zablokován",
        RejectReason::AccountNotActive => "jeden z účtů není aktivní",
        RejectReason::CurrencyMismatch => "jeden z účtů je veden v jiné měně",
        RejectReason::TransferLimit => "částka překračuje limit pro jednu platbu",
        RejectReason::DailyLimit => "denní limit je vyčerpán",
        RejectReason::MonthlyLimit => "měsíční limit je vyčerpán",
        RejectReason::MinimumBalance => "na účtu by zůstalo příliš málo",
        RejectReason::InsufficientFunds => "na účtu není dost peněz",
        RejectReason::BalanceTooLarge => "na účtu by bylo více, než na něm banka může vést",
        RejectReason::GroupRejected => "patří k dalším platbám a jedna z nich byla odmítnuta",
    }
}
