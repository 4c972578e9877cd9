-- Grants say what another principal has to approve. Those of before say that nothing needs it.
UPDATE access_changes SET grants = (
    SELECT coalesce(jsonb_agg(CASE WHEN one ? 'approval' THEN one ELSE one || '{"approval": {"none": {}}}' END), '[]')::text
    FROM jsonb_array_elements(grants::jsonb) AS one
);
