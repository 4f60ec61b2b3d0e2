{# What the survey funnel counts, and by what. #}

{# The ways in which invitations are grouped: the scope's name and its key (none: all of them). #}
{% macro survey_scopes() %}
    {% do return({
        'company': none,
        'department': 'department_id',
        'channel': 'channel',
        'survey_channel': 'survey_channel',
        'agent': 'agent_id',
    }) %}
{% endmacro %}

{# The counts of a cohort of invitations: name and what is counted in invitation_stages (none: all
   of them). All but the first two leave bounced invitations out, as the response rate does. #}
{% macro funnel_counts() %}
    {% set counts = {'sent': none, 'bounced': 'is_bounced', 'invitations': 'not is_bounced'} %}
    {% for stage in ['delivered', 'opened', 'responded', 'answered', 'opted_out'] %}
        {% do counts.update({stage: 'not is_bounced and is_' ~ stage}) %}
    {% endfor %}
    {% do counts.update({'timed_answers': 'not is_bounced and hours_to_answer is not null'}) %}
    {% for hours in [1, 24, 72] %}
        {% do counts.update({
            'answered_within_' ~ hours ~ 'h': 'not is_bounced and hours_to_answer <= ' ~ hours
        }) %}
    {% endfor %}
    {% do return(counts) %}
{% endmacro %}

{# The same as columns of an aggregate. #}
{% macro counted_stages() -%}
    {%- for name, counted in funnel_counts().items() if counted -%}
        cast(sum(case when {{ counted }} then 1 else 0 end) as bigint) as {{ name }}
        {%- if not loop.last %},
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{# Rows of a CTE once per period a month or longer in which their date lies: adds the CTE
   `<of>_by_period` with period_type and period_start. Distributions are told of these: the days
   and weeks of a member hold too few to have any. #}
{% macro by_longer_period(of, date) -%}
{{ of }}_by_period as (

    {% for period_type in ['month', 'quarter', 'year'] -%}
        select
            {{ of }}.*,
            '{{ period_type }}' as period_type,
            {{ period_start(period_type, date) }} as period_start
        from {{ of }}
        union all
    {% endfor -%}
    select
        {{ of }}.*,
        'all' as period_type,
        span.first_date as period_start
    from {{ of }}
    cross join {{ ref('invitation_span') }} as span

)
{%- endmacro %}
