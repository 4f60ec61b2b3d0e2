select
    contact_id,
    -- Spellings that differ only in case are one criterion to whoever reads them, and one rule of
    -- the seed driver_bands; the delivered one tells two rows of a contact apart.
    lower(criterion) as criterion,
    criterion as source_criterion,
    score as evaluation_score,
    evaluated_at
from {{ ref('stg_evaluations') }}
