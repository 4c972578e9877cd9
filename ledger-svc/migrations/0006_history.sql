-- History: what an account's balance was, at an instant or by a date.
--
-- What an ordinary posting must not pay for: its dates are the day of posting, so the order of its
-- versions is the order of its dates, and the primary key of entries is the only index it needs.
-- Entries that are dated off their day of posting are the exception, and have indexes of their own.
--
-- The day of posting is that in UTC, because the expression of an index must not depend on the
-- configuration. The answers do not depend on it either: the sum of all entries dated up to a day is
-- the balance after any entry, corrected by those that stand on its wrong side. The last entry of the
-- day in UTC is taken, since then all that may need correcting is in the index. What the bank's
-- time zone decides is how many ordinary entries are in there: those of the hours between its
-- midnight and that of UTC.

-- Serve the corrections: an entry matters to a day from the earlier of its two days until the day
-- before the later one. The later one comes first: what was dated back long ago is passed over by
-- every question about a later day.
CREATE INDEX entries_off_value_date ON entries (account_id,
        greatest(value_date, (posted_at AT TIME ZONE 'UTC')::date),
        least(value_date, (posted_at AT TIME ZONE 'UTC')::date))
    WHERE value_date <> (posted_at AT TIME ZONE 'UTC')::date;
CREATE INDEX entries_off_booking_date ON entries (account_id,
        greatest(booking_date, (posted_at AT TIME ZONE 'UTC')::date),
        least(booking_date, (posted_at AT TIME ZONE 'UTC')::date))
    WHERE booking_date <> (posted_at AT TIME ZONE 'UTC')::date;

-- The version of the last of an account's entries up to version `until` that was posted before an
-- instant; 0 if none was. The instants of an account's entries never go back (the clock is read
-- once all accounts are locked), so the versions can be searched by halving: about twenty look-ups
-- by primary key among a million entries, and no index on the instant.
-- It holds all the time: what has a version up to `low` was posted before; what has one above
-- `high`, later. Versions have gaps, so a probe is the last entry up to the middle.
CREATE FUNCTION posted_before(account uuid, instant timestamptz, until bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    low   bigint := 0;
    high  bigint := coalesce((SELECT version FROM entries
        WHERE account_id = account AND version <= until ORDER BY version DESC LIMIT 1), 0);
    mid   bigint;
    probe record;
    found_version bigint := 0;
BEGIN
    WHILE low < high LOOP
        mid := low + (high - low + 1) / 2;
        SELECT version, posted_at INTO probe FROM entries
        WHERE account_id = account AND version BETWEEN low + 1 AND mid
        ORDER BY version DESC LIMIT 1;
        IF probe.version IS NULL THEN
            low := mid;
        ELSIF probe.posted_at < instant THEN
            low := mid;
            found_version := probe.version;
        ELSE
            high := probe.version - 1;
        END IF;
    END LOOP;
    RETURN found_version;
END
$$;

-- The balance after the last entry up to a version.
CREATE FUNCTION balance_after(account uuid, until bigint) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT balance_after FROM entries
        WHERE account_id = account AND version <= until ORDER BY version DESC LIMIT 1), 0)
$$;

-- The sum of an account's entries up to a version whose value date is `day` or earlier.
CREATE FUNCTION balance_by_value_date(account uuid, day date, until bigint) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT balance_after(account, posted_before(account, (day + 1)::timestamp AT TIME ZONE 'UTC', until))
        + coalesce((
            SELECT sum(CASE WHEN value_date <= day THEN amount ELSE -amount END) FROM entries
            WHERE account_id = account AND version <= until
                AND value_date <> (posted_at AT TIME ZONE 'UTC')::date
                AND greatest(value_date, (posted_at AT TIME ZONE 'UTC')::date) > day
                AND least(value_date, (posted_at AT TIME ZONE 'UTC')::date) <= day), 0)
$$;

-- The same by booking date.
CREATE FUNCTION balance_by_booking_date(account uuid, day date, until bigint) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT balance_after(account, posted_before(account, (day + 1)::timestamp AT TIME ZONE 'UTC', until))
        + coalesce((
            SELECT sum(CASE WHEN booking_date <= day THEN amount ELSE -amount END) FROM entries
            WHERE account_id = account AND version <= until
                AND booking_date <> (posted_at AT TIME ZONE 'UTC')::date
                AND greatest(booking_date, (posted_at AT TIME ZONE 'UTC')::date) > day
                AND least(booking_date, (posted_at AT TIME ZONE 'UTC')::date) <= day), 0)
$$;

-- An account's entries with a version after `after` and up to `until` that are booked on one of these
-- days: the first so many of them in the order of posting, or all (NULL). `low` and `high` are the
-- last versions posted before the period and before its end. What was posted in between is read by
-- primary key; the two other parts are dated off their day of posting. `version + 0` keeps them from
-- being read by primary key, which would pass over all that was posted before or after.
CREATE FUNCTION booked(account uuid, first_day date, last_day date, low bigint, high bigint,
    after bigint, until bigint, most bigint) RETURNS SETOF entries
LANGUAGE sql STABLE AS $$
    (SELECT * FROM entries
    WHERE account_id = account AND version > greatest(after, low) AND version <= high
        AND booking_date BETWEEN first_day AND last_day
    ORDER BY version LIMIT most)
    UNION ALL
    (SELECT * FROM entries
    WHERE low > after AND account_id = account AND version + 0 > after AND version + 0 <= low
        AND booking_date BETWEEN first_day AND last_day
        AND booking_date <> (posted_at AT TIME ZONE 'UTC')::date
        AND greatest(booking_date, (posted_at AT TIME ZONE 'UTC')::date) >= first_day
    ORDER BY version + 0 LIMIT most)
    UNION ALL
    (SELECT * FROM entries
    WHERE high < until AND account_id = account AND version + 0 > greatest(after, high)
        AND version + 0 <= until
        AND booking_date BETWEEN first_day AND last_day
        AND booking_date <> (posted_at AT TIME ZONE 'UTC')::date
        AND greatest(booking_date, (posted_at AT TIME ZONE 'UTC')::date) > last_day
    ORDER BY version + 0 LIMIT most)
$$;
