//! Czech.

use super::phrases::{OccasionText, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    decimal_mark: ',',
    // A space that does not break a line.
    group_mark: '\u{a0}',
    date_format: "%-d. %-m. %Y",
    // Without the name, which would need its vocative.
    greeting: "Dobrý den,",
    farewell: "Vaše banka",
    footer: "Tento e-mail byl vytvořen automaticky. Prosíme, neodpovídejte na něj.",

    paid_out: OccasionText {
        subject: "Z Vašeho účtu odešlo {amount}",
        sentence: "Z Vašeho účtu bylo odepsáno {amount}.",
    },
    paid_in: OccasionText {
        subject: "Na Váš účet přišlo {amount}",
        sentence: "Na Váš účet bylo připsáno {amount}.",
    },
    rejected: OccasionText {
        subject: "Platba {amount} nebyla provedena",
        sentence: "Platba {amount} z Vašeho účtu byla zamítnuta. Žádné peníze se nepohnuly.",
    },
    paid_back: OccasionText {
        subject: "Vrátilo se Vám {amount}",
        sentence: "Na Váš účet se vrátilo {amount}: platba z něj byla stornována.",
    },
    taken_back: OccasionText {
        subject: "Z Vašeho účtu bylo vráceno {amount}",
        sentence: "Z Vašeho účtu bylo vráceno {amount}: platba ve Váš prospěch byla \
                   stornována.",
    },
    held: OccasionText {
        subject: "Na Vašem účtu je blokováno {amount}",
        sentence: "Na Vašem účtu bylo zablokováno {amount}. Peníze jsou stále Vaše, \
                   ale dokud nebudou zaplaceny nebo uvolněny, nelze je utratit.",
    },
    released: OccasionText {
        subject: "{amount} už není blokováno",
        sentence: "Blokace {amount} na Vašem účtu byla zrušena. Nic nebylo zaplaceno \
                   a peníze můžete opět používat.",
    },
    expired: OccasionText {
        subject: "{amount} už není blokováno",
        sentence: "Doba, po kterou bylo na Vašem účtu blokováno {amount}, uplynula. \
                   Nic nebylo zaplaceno a peníze můžete opět používat.",
    },
    frozen: OccasionText {
        subject: "Váš účet je zablokován",
        sentence: "Váš účet byl zablokován. Až do odvolání na něj ani z něj nelze platit.",
    },
    frozen_out: OccasionText {
        subject: "Váš účet je zablokován pro odchozí platby",
        sentence: "Váš účet byl zablokován pro odchozí platby. Až do odvolání z něj \
                   nelze platit; přijímat platby může.",
    },
    frozen_in: OccasionText {
        subject: "Váš účet je zablokován pro příchozí platby",
        sentence: "Váš účet byl zablokován pro příchozí platby. Až do odvolání na něj \
                   nelze platit; platit z něj můžete.",
    },
    unfrozen: OccasionText {
        subject: "Váš účet lze opět používat",
        sentence: "Váš účet byl odblokován. Můžete jej používat jako dříve.",
    },
    closed: OccasionText {
        subject: "Váš účet je zrušen", sentence: "Váš účet byl zrušen."
    },

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
    other_reason: "jiný důvod",
};

fn reason_of(code: &str) -> Option<&'static str> {
    let text =
        match code {
            "reserved_id" => "identifikátor platby patří bance",
            "idempotency_conflict" => "identifikátor platby už byl použit",
            "not_permitted" => "její odesílatel nesmí s těmito penězi hýbat",
            "amount_not_positive" => "částka není větší než nula",
            "too_many_digits" => "částka má více desetinných míst než její měna",
            "amount_too_large" => "částka je příliš vysoká",
            "unsupported_currency" => "měna není podporována",
            "invalid_text" => "zpráva má nepovolené znaky nebo je příliš dlouhá",
            "invalid_booking_date" => "datum zaúčtování není platné",
            "period_closed" => "období data zaúčtování je uzavřeno",
            "booking_date_too_late" => "datum zaúčtování je příliš pozdě",
            "invalid_value_date" => "datum valuty není platné",
            "invalid_expiry" => "blokace by skončila v minulosti nebo příliš pozdě",
            "too_few_legs" | "too_many_legs" | "unbalanced_legs" | "invalid_rate"
            | "same_currency" => "platba nemá správný tvar",
            "unknown_hold" | "hold_captured" | "hold_released" | "hold_expired"
            | "exceeds_hold" => "peníze už nejsou blokovány",
            "unknown_transfer" | "not_reversible" | "exceeds_original" => {
                "platbu nelze vrátit, nebo ne v této výši"
            }
            "same_account" => "příjemcem je tentýž účet",
            "unknown_account" => "takový účet neexistuje",
            "account_closed" => "jeden z účtů je zrušen",
            "account_frozen" => "jeden z účtů je zablokován",
            "account_not_active" => "jeden z účtů není aktivní",
            "currency_mismatch" => "jeden z účtů je veden v jiné měně",
            "transfer_limit" => "částka překračuje limit pro jednu platbu",
            "daily_limit" => "denní limit je vyčerpán",
            "monthly_limit" => "měsíční limit je vyčerpán",
            "minimum_balance" => "na účtu by zůstalo příliš málo",
            "insufficient_funds" => "na účtu není dost peněz",
            "balance_too_large" => "na účtu by bylo více, než na něm banka může vést",
            "group_rejected" => "patří k dalším platbám a jedna z nich byla odmítnuta",
            _ => return None,
        };
    Some(text)
}
