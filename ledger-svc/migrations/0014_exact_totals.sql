-- Totals to the last digit.
--
-- Until now the ledger added amounts up in decimals of 96 bits, and these round where they are full. Only the bank's own
-- positions come there: exchanges give them up to 14 digits after the point, and 96 bits hold 28 digits or 29. What was
-- posted is in the entries, each of them exact, so the totals of such accounts are added up again. New totals are exact,
-- and a balance of more digits than can be told is not made any more.

-- Adds up again what was booked on the bank's own accounts whose totals may have been rounded. Says how many differed.
-- May be called at any time: it changes nothing that is right.
CREATE FUNCTION mend_totals() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    -- 96 bits hold 7.9e28: with 14 digits after the point they are full at 7.9e14.
    suspects uuid[] := ARRAY(SELECT id FROM accounts
        WHERE code IS NOT NULL AND greatest(posted_debits, posted_credits) >= 1e14);
    mended bigint;
BEGIN
    -- As any posting does: in the order of ids. What is posted meanwhile is seen by the next statement.
    PERFORM FROM accounts WHERE id = ANY(suspects) ORDER BY id FOR UPDATE;
    UPDATE accounts SET posted_debits = booked.debits, posted_credits = booked.credits
    FROM (
        SELECT account_id, coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS debits,
            coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS credits
        FROM entries WHERE account_id = ANY(suspects) GROUP BY account_id
    ) AS booked
    WHERE id = booked.account_id
        AND (posted_debits, posted_credits) <> (booked.debits, booked.credits);
    GET DIAGNOSTICS mended = ROW_COUNT;
    RETURN mended;
END
$$;

-- Many entries take longer than a statement of the service may.
SET LOCAL statement_timeout = 0;
SELECT mend_totals();
