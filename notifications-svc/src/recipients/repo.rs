//! The table of recipients. Promise: one function is one statement; names that a newer version
//! wrote are left out.

use chrono::{DateTime, Utc};
use shared_events::{AccountId, Iban, access::MAIN_BRANCH, messaging::Tx};
use uuid::Uuid;

use super::{
    ContactChannels, ContactChannelsByAccount, Preferences, PreferencesRequest, PreferencesView,
    RecipientProfile, SigningKey, Topic,
};

/// Stores newer profiles of holders. An older profile changes nothing, except that it adds an IBAN
/// and a branch that were not known yet. An erased holder stays erased: a profile of any version
/// adds the branch alone. Rows are locked in the order given, which must be that of account ids.
pub(crate) async fn store_profiles_in_tx(
    tx: &mut Tx<'_>,
    profiles: &[RecipientProfile],
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = profiles.iter().map(|profile| profile.account_id.uuid()).collect();
    let ibans: Vec<Option<&str>> =
        profiles.iter().map(|profile| profile.iban.as_ref().map(Iban::as_str)).collect();
    let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
    let emails: Vec<Option<&str>> =
        profiles.iter().map(|profile| profile.email.as_deref()).collect();
    let webhooks: Vec<Option<&str>> =
        profiles.iter().map(|profile| profile.webhook.as_deref()).collect();
    let languages: Vec<&str> = profiles.iter().map(|profile| profile.language.as_str()).collect();
    let versions: Vec<i64> = profiles.iter().map(|profile| profile.version).collect();
    let branches: Vec<Option<&str>> =
        profiles.iter().map(|profile| profile.branch.as_deref()).collect();
    sqlx::query!(
        "INSERT INTO recipients AS known (account_id, iban, name, email, webhook, language, version,
                                          branch)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[],
                              $6::text[], $7::bigint[], $8::text[])
         ON CONFLICT (account_id) DO UPDATE SET
             iban = CASE WHEN NOT known.erased THEN COALESCE(known.iban, EXCLUDED.iban) END,
             branch = COALESCE(known.branch, EXCLUDED.branch),
             (name, email, webhook, language, version) = (
                 SELECT newest.name, newest.email, newest.webhook, newest.language, newest.version
                 FROM (VALUES
                     (known.name, known.email, known.webhook, known.language, known.version,
                      known.erased),
                     (EXCLUDED.name, EXCLUDED.email, EXCLUDED.webhook, EXCLUDED.language,
                      EXCLUDED.version, false)
                 ) AS newest(name, email, webhook, language, version, erased)
                 ORDER BY newest.erased DESC, newest.version DESC LIMIT 1)
         WHERE EXCLUDED.version > known.version OR known.iban IS NULL",
        &ids,
        &ibans as _,
        &names as _,
        &emails as _,
        &webhooks as _,
        &languages as _,
        &versions,
        &branches as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The branch that keeps an account. `None`: the account is not known.
pub(crate) async fn branch_in_tx(
    tx: &mut Tx<'_>,
    account_id: AccountId,
) -> sqlx::Result<Option<String>> {
    let found = sqlx::query_scalar!(
        r#"SELECT COALESCE(branch, $2) AS "branch!" FROM recipients WHERE account_id = $1"#,
        account_id.uuid(),
        MAIN_BRANCH,
    );
    found.fetch_optional(tx.connection()).await
}

/// Loads the channels of the holders that are known. Most holders want all topics; the query
/// returns no list for them, because the server would turn each name of the list into text.
pub(crate) async fn contact_channels_in_tx(
    tx: &mut Tx<'_>,
    ids: &[Uuid],
) -> sqlx::Result<ContactChannelsByAccount> {
    let rows = sqlx::query!(
        r#"SELECT account_id, email IS NOT NULL AND wants_email AS "email!",
                  webhook IS NOT NULL AND wants_webhook AND webhook IS DISTINCT FROM webhook_gone
                      AS "webhook!",
                  CASE WHEN topics <> (SELECT enum_range(NULL::topic)) THEN topics::text[] END
                      AS topics
           FROM recipients WHERE account_id = ANY($1)"#,
        ids,
    )
    .fetch_all(tx.connection())
    .await?;
    let channels = rows.into_iter().map(|row| {
        let topics = match row.topics {
            Some(names) => Topic::known(&names),
            None => Topic::ALL.to_vec(),
        };
        let channels = ContactChannels { email: row.email, webhook: row.webhook, topics };
        (AccountId(row.account_id), channels)
    });
    Ok(channels.collect())
}

/// The preferences of a holder, if they were set by a command of a later time.
pub(crate) async fn newer_preferences_in_tx(
    tx: &mut Tx<'_>,
    account_id: AccountId,
    asked_at: DateTime<Utc>,
) -> sqlx::Result<Option<Preferences>> {
    let found = sqlx::query!(
        r#"SELECT wants_email, wants_webhook, topics::text[] AS "topics!" FROM recipients
           WHERE account_id = $1 AND preferences_at > $2"#,
        account_id.uuid(),
        asked_at,
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(found.map(|row| Preferences {
        email: row.wants_email,
        webhook: row.wants_webhook,
        topics: Topic::known(&row.topics),
    }))
}

/// Stores preferences. For one day after a change of the key both keys sign. A webhook that was
/// gone is called again. Returns whether the account is known and its holder is not erased.
pub(crate) async fn set_preferences_in_tx(
    tx: &mut Tx<'_>,
    request: &PreferencesRequest,
    asked_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let preferences = &request.preferences;
    let topics: Vec<&str> = preferences.topics.iter().map(|topic| topic.as_str()).collect();
    let done = sqlx::query!(
        "UPDATE recipients SET wants_email = $2, wants_webhook = $3, topics = $4::text[]::topic[],
                webhook_key = COALESCE($5, webhook_key), webhook_gone = NULL,
                preferences_at = $6,
                (webhook_key_before, webhook_key_before_until) = (
                    SELECT CASE WHEN $5 <> known.key OR known.key IS NULL AND $5 IS NOT NULL
                                THEN known.key ELSE known.key_before END,
                           CASE WHEN $5 <> known.key OR known.key IS NULL AND $5 IS NOT NULL
                                THEN now() + interval '1 day' ELSE known.until END
                    FROM (VALUES (webhook_key, webhook_key_before, webhook_key_before_until))
                         AS known(key, key_before, until))
         WHERE account_id = $1 AND NOT erased",
        request.account_id.uuid(),
        preferences.email,
        preferences.webhook,
        &topics as _,
        request.webhook_key.as_ref().map(SigningKey::bytes),
        asked_at,
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the holder's data were erased. An account that is not known has no such holder.
pub(crate) async fn is_erased_in_tx(tx: &mut Tx<'_>, account_id: AccountId) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM recipients WHERE account_id = $1 AND erased) AS "erased!""#,
        account_id.uuid(),
    );
    found.fetch_one(tx.connection()).await
}

/// Switches off webhooks that are gone. A holder who has another webhook by now keeps it. Returns
/// the accounts whose webhook was switched off, each once.
pub(crate) async fn switch_off_webhooks_in_tx(
    tx: &mut Tx<'_>,
    accounts: &[Uuid],
    webhooks: &[&str],
) -> sqlx::Result<Vec<AccountId>> {
    let gone = sqlx::query_scalar!(
        "UPDATE recipients SET webhook_gone = gone.webhook
         FROM unnest($1::uuid[], $2::text[]) AS gone(account_id, webhook)
         WHERE recipients.account_id = gone.account_id AND recipients.webhook = gone.webhook
           AND recipients.webhook_gone IS DISTINCT FROM recipients.webhook
         RETURNING recipients.account_id",
        accounts,
        webhooks as _,
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(gone.into_iter().map(AccountId).collect())
}

/// The preferences of a holder and the state of their webhook. `None`: the account is not known.
pub(crate) async fn preferences_in_tx(
    tx: &mut Tx<'_>,
    account_id: AccountId,
) -> sqlx::Result<Option<PreferencesView>> {
    let row = sqlx::query!(
        r#"SELECT wants_email, wants_webhook, topics::text[] AS "topics!",
                  webhook IS NOT NULL AND webhook IS NOT DISTINCT FROM webhook_gone AS "is_gone!",
                  webhook_key IS NOT NULL AS "own_key!",
                  CASE WHEN webhook_key_before_until > now() THEN webhook_key_before_until END
                      AS both_keys_until
           FROM recipients WHERE account_id = $1"#,
        account_id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.map(|row| PreferencesView {
        preferences: Preferences {
            email: row.wants_email,
            webhook: row.wants_webhook,
            topics: Topic::known(&row.topics),
        },
        is_webhook_gone: row.is_gone,
        has_own_key: row.own_key,
        both_keys_until: row.both_keys_until,
    }))
}
