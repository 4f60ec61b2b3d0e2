{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ take_out('response_id', changes_of('superseded_survey_responses')) }}",
    post_hook="{{ note_added('response_id') }}",
) }}

{{ masked_texts(
    changed_rows(ref('stg_survey_responses'), 'response_id'),
    key='response_id',
    text='comment',
) }}
