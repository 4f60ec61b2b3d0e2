{{ config(materialized='table') }}

{{ masked_texts(ref('stg_survey_responses'), key='response_id', text='comment') }}
