-- Whoever hears of everything hears of holds, too. On its own, since a new value of a type can be used
-- only when it is committed.

UPDATE recipients SET topics = enum_range(NULL::topic)
WHERE topics @> ARRAY['transfer_posted', 'transfer_rejected', 'account_frozen', 'account_unfrozen',
    'account_closed']::topic[];
