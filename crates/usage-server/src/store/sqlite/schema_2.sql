-- What a report is about stands beside its kind: an idempotency key belongs to both.
ALTER TABLE report ADD COLUMN product TEXT NOT NULL DEFAULT '';

UPDATE report SET product = CASE kind
    WHEN 'server' THEN (SELECT product FROM server WHERE report_id = report.id)
    WHEN 'stats' THEN (SELECT product FROM stats WHERE report_id = report.id)
    ELSE (SELECT product FROM usage WHERE report_id = report.id)
END;

ALTER TABLE server DROP COLUMN product;
ALTER TABLE stats DROP COLUMN product;
ALTER TABLE usage DROP COLUMN product;
