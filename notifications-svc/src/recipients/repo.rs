//! Who is told.

use chrono::{DateTime, Utc};
use shared_events::{
    AccountId, Iban,
    messaging::Tx,
    notifications::{PreferencesChanged, PreferencesFound, Topic},
};
use uuid::Uuid;

use crate::domain::{Preferences, Profile, Reach, Reaches, SigningKey};
use crate::store::words::{read_topic, topic_word};

/// Keeps what is new about holders. An older version changes nothing, but for an IBAN that was not
/// known yet. Rows are locked in the order given, which must be that of the account ids.
pub(crate) async fn learn_in_tx(tx: &mut Tx<'_>, profiles: &[Profile]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = profiles.iter().map(|it| it.account_id.uuid()).collect();
    let ibans: Vec<Option<&str>> =
        profiles.iter().map(|it| it.iban.as_ref().map(Iban::as_str)).collect();
    let names: Vec<&str> = profiles.iter().map(|it| it.holder.name.as_str()).collect();
    let emails: Vec<Option<&str>> = profiles.iter().map(|it| it.holder.email.as_deref()).collect();
    let webhooks: Vec<Option<&str>> =
        profiles.iter().map(|it| it.holder.webhook.as_deref()).collect();
    let languages: Vec<&str> = profiles.iter().map(|it| it.holder.language.as_str()).collect();
    let versions: Vec<i64> = profiles.iter().map(|it| it.version).collect();
    sqlx::query!(
        "INSERT INTO recipients AS known (account_id, iban, name, email, webhook, language, version)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[],
                              $6::text[], $7::bigint[])
         ON CONFLICT (account_id) DO UPDATE SET
             iban = COALESCE(known.iban, EXCLUDED.iban),
             (name, email, webhook, language, version) = (
                 SELECT newest.name, newest.email, newest.webhook, newest.language, newest.version
                 FROM (VALUES
                     (known.name, known.email, known.webhook, known.language, known.version),
                     (EXCLUDED.name, EXCLUDED.email, EXCLUDED.webhook, EXCLUDED.language,
                      EXCLUDED.version)
                 ) AS newest(name, email, webhook, language, version)
                 ORDER BY newest.version DESC LIMIT 1)
         WHERE EXCLUDED.version > known.version OR known.iban IS NULL",
        &ids,
        &ibans as _,
        &names as _,
        &emails as _,
        &webhooks as _,
        &languages as _,
        &versions,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// How those of these accounts' holders that are known can be reached. Most want to hear of all
/// topics, which is told by no list: the server turns each word of a list into text. A word that
/// a newer version wrote is left out: nothing is told here of what only that version knows.
pub(crate) async fn reaches_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Reaches> {
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
    let reach = rows.into_iter().map(|row| {
        let topics = match row.topics {
            Some(words) => words.iter().filter_map(|word| read_topic(word).ok()).collect(),
            None => Topic::ALL.to_vec(),
        };
        let reach = Reach { email: row.email, webhook: row.webhook, topics };
        (AccountId(row.account_id), reach)
    });
    Ok(reach.collect())
}

/// What a holder wants, if they asked for it later than at this time.
pub(crate) async fn newer_preferences_in_tx(
    tx: &mut Tx<'_>,
    account_id: AccountId,
    asked_at: DateTime<Utc>,
) -> sqlx::Result<Option<PreferencesChanged>> {
    let found = sqlx::query!(
        r#"SELECT wants_email, wants_webhook, topics::text[] AS "topics!" FROM recipients
           WHERE account_id = $1 AND preferences_at > $2"#,
        account_id.uuid(),
        asked_at,
    )
    .fetch_optional(tx.connection())
    .await?;
    let preferences = |topics: Vec<String>, email, webhook| PreferencesChanged {
        account_id,
        email,
        webhook,
        topics: topics.iter().filter_map(|word| read_topic(word).ok()).collect(),
    };
    Ok(found.map(|row| preferences(row.topics, row.wants_email, row.wants_webhook)))
}

/// Keeps what a holder wants. A key that takes another's place is the only one from tomorrow on:
/// until then both sign. A webhook that was gone is tried again. Says whether the account is known.
pub(crate) async fn set_preferences_in_tx(
    tx: &mut Tx<'_>,
    preferences: &Preferences,
    asked_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let topics: Vec<&str> = preferences.topics.iter().map(|topic| topic_word(*topic)).collect();
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
         WHERE account_id = $1",
        preferences.account_id.uuid(),
        preferences.email,
        preferences.webhook,
        &topics as _,
        preferences.webhook_key.as_ref().map(SigningKey::bytes),
        asked_at,
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Sends nothing more to webhooks that are gone. A holder who has another by now keeps it. Returns
/// the accounts that are concerned, each once.
pub(crate) async fn webhooks_gone_in_tx(
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

/// What a holder is told, and how, as it is now. `None`: the account is not known.
pub(crate) async fn preferences_in_tx(
    tx: &mut Tx<'_>,
    account_id: AccountId,
) -> sqlx::Result<Option<PreferencesFound>> {
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
    Ok(row.map(|row| PreferencesFound {
        account_id,
        email: row.wants_email,
        webhook: row.wants_webhook,
        topics: row.topics.iter().filter_map(|word| read_topic(word).ok()).collect(),
        webhook_disabled: row.is_gone,
        webhook_own_key: row.own_key,
        webhook_both_keys_until: row.both_keys_until,
    }))
}
