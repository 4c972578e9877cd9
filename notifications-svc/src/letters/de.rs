//! German.

use super::phrases::{OccasionText, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    decimal_mark: ',',
    group_mark: '.',
    date_format: "%d.%m.%Y",
    greeting: "Guten Tag {name},",
    farewell: "Ihre Bank",
    footer: "Diese E-Mail wurde maschinell erstellt. Bitte antworten Sie nicht darauf.",

    paid_out: OccasionText {
        subject: "Abbuchung über {amount}",
        sentence: "Von Ihrem Konto wurden {amount} abgebucht.",
    },
    paid_in: OccasionText {
        subject: "Gutschrift über {amount}",
        sentence: "Ihrem Konto wurden {amount} gutgeschrieben.",
    },
    rejected: OccasionText {
        subject: "Zahlung über {amount} nicht ausgeführt",
        sentence: "Die Zahlung über {amount} von Ihrem Konto wurde abgelehnt. Es wurde kein Geld \
                   bewegt.",
    },
    paid_back: OccasionText {
        subject: "Rückzahlung über {amount}",
        sentence: "Auf Ihr Konto kamen {amount} zurück: eine Zahlung von Ihrem Konto \
                   wurde zurückgebucht.",
    },
    taken_back: OccasionText {
        subject: "Rückbuchung über {amount}",
        sentence: "Von Ihrem Konto gingen {amount} zurück: eine Gutschrift wurde \
                   zurückgebucht.",
    },
    held: OccasionText {
        subject: "Reservierung über {amount}",
        sentence: "Auf Ihrem Konto wurden {amount} reserviert. Das Geld gehört \
                   weiterhin Ihnen, ist aber nicht verfügbar, bis es bezahlt oder \
                   freigegeben wird.",
    },
    released: OccasionText {
        subject: "Reservierung über {amount} aufgehoben",
        sentence: "Die Reservierung über {amount} auf Ihrem Konto wurde aufgehoben. \
                   Es wurde nichts bezahlt, Sie können wieder darüber verfügen.",
    },
    expired: OccasionText {
        subject: "Reservierung über {amount} abgelaufen",
        sentence: "Die Reservierung über {amount} auf Ihrem Konto ist abgelaufen. Es \
                   wurde nichts bezahlt, Sie können wieder darüber verfügen.",
    },
    frozen: OccasionText {
        subject: "Ihr Konto ist gesperrt",
        sentence: "Ihr Konto wurde gesperrt. Bis auf Weiteres sind weder Ein- noch Auszahlungen \
                   möglich.",
    },
    frozen_out: OccasionText {
        subject: "Ihr Konto ist für Auszahlungen gesperrt",
        sentence: "Ihr Konto wurde für Auszahlungen gesperrt. Bis auf Weiteres kann \
                   kein Geld abgehen; Einzahlungen sind weiterhin möglich.",
    },
    frozen_in: OccasionText {
        subject: "Ihr Konto ist für Einzahlungen gesperrt",
        sentence: "Ihr Konto wurde für Einzahlungen gesperrt. Bis auf Weiteres kann \
                   kein Geld eingehen; Auszahlungen sind weiterhin möglich.",
    },
    unfrozen: OccasionText {
        subject: "Ihr Konto ist wieder nutzbar",
        sentence: "Die Sperre Ihres Kontos wurde aufgehoben. Sie können es wie zuvor nutzen.",
    },
    closed: OccasionText {
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
    other_reason: "ein anderer Grund",
};

fn reason_of(code: &str) -> Option<&'static str> {
    let text =
        match code {
            "reserved_id" => "die Kennung der Zahlung ist der Bank vorbehalten",
            "idempotency_conflict" => "die Kennung der Zahlung wurde schon verwendet",
            "not_permitted" => "ihr Absender darf dieses Geld nicht bewegen",
            "amount_not_positive" => "der Betrag ist nicht größer als null",
            "too_many_digits" => "der Betrag hat mehr Nachkommastellen als seine Währung",
            "amount_too_large" => "der Betrag ist zu hoch",
            "unsupported_currency" => "die Währung wird nicht unterstützt",
            "invalid_text" => "der Verwendungszweck ist zu lang oder hat Steuerzeichen",
            "invalid_booking_date" => "das Buchungsdatum ist nicht gültig",
            "period_closed" => "der Zeitraum des Buchungsdatums ist abgeschlossen",
            "booking_date_too_late" => "das Buchungsdatum liegt zu spät",
            "invalid_value_date" => "das Datum der Wertstellung ist nicht gültig",
            "invalid_expiry" => "die Reservierung endete in der Vergangenheit oder zu spät",
            "too_few_legs" | "too_many_legs" | "unbalanced_legs" | "invalid_rate"
            | "same_currency" => "die Zahlung hat nicht die richtige Form",
            "unknown_hold" | "hold_captured" | "hold_released" | "hold_expired"
            | "exceeds_hold" => "das Geld ist nicht mehr reserviert",
            "unknown_transfer" | "not_reversible" | "exceeds_original" => {
                "die Zahlung lässt sich nicht oder nicht in dieser Höhe zurückbuchen"
            }
            "same_account" => "sie ginge an dasselbe Konto",
            "unknown_account" => "das Konto gibt es nicht",
            "account_closed" => "eines der Konten ist geschlossen",
            "account_frozen" => "eines der Konten ist gesperrt",
            "account_not_active" => "eines der Konten ist nicht aktiv",
            "currency_mismatch" => "eines der Konten wird in einer anderen Währung geführt",
            "transfer_limit" => "der Betrag liegt über dem Limit für eine Zahlung",
            "daily_limit" => "das Tageslimit ist ausgeschöpft",
            "monthly_limit" => "das Monatslimit ist ausgeschöpft",
            "minimum_balance" => "auf dem Konto bliebe zu wenig",
            "insufficient_funds" => "auf dem Konto ist nicht genug Geld",
            "balance_too_large" => "auf einem Konto wäre mehr, als die Bank darauf führen kann",
            "group_rejected" => "sie gehört zu anderen Zahlungen, und eine davon wurde abgelehnt",
            _ => return None,
        };
    Some(text)
}
