{# Did a change help: windows before and after, beside a control that did not change. #}

{# Windows of equal length that an initiative's answers are counted in: 0 after, -1 before, and the
   earlier ones that show how treated and control moved until then. #}
{% macro earlier_windows() -%}
    {%- do return([-2, -3, -4]) -%}
{%- endmacro %}

{# Where the score of a member leads no conclusion: nobody's, or everybody's behind one name. #}
{% macro is_a_member(scope_id) -%}
    {{ scope_id }} not in ('unknown', 'withheld')
{%- endmacro %}

{# The change of the treated less that of the control. #}
{% macro difference_in_differences(before, after, control_before, control_after) -%}
    (({{ after }}) - ({{ before }})) - (({{ control_after }}) - ({{ control_before }}))
{%- endmacro %}

{# Its standard error, of the four, which are independent: no answer is in two of them. #}
{% macro did_standard_error(before, after, control_before, control_after) -%}
    {{ difference_standard_error(
        difference_standard_error(before, after),
        difference_standard_error(control_before, control_after),
    ) }}
{%- endmacro %}

{# Slope of a group's score over its windows, in points a window: least squares of all its answers.
   Null where the answers lie in one window. Of sums over windows, all whole numbers:

   n, x, xx: answers, answers times the window's number, times its square.
   y, xy:    promoters less detractors, and the same times the window's number. #}
{% macro slope_of_sums(n, x, xx, y, xy) -%}
    cast(100 * ({{ n }} * {{ xy }} - {{ x }} * {{ y }}) as {{ double_type() }})
    / nullif({{ n }} * {{ xx }} - {{ x }} * {{ x }}, 0)
{%- endmacro %}

{# Whether treated and control ran parallel: the slope of their difference over windows, weighted by
   1/SE^2. Adds CTEs of which the last, `<of>_sloped`, has the key and

   windows           windows with a difference,
   slope             points a window by which the treated moved away from the control,
   slope_error       its standard error, 1/sqrt(sum of w (x - mean x)^2),
   slope_z           slope over error; null with fewer than two windows.

   of:  a CTE with window_number, difference and difference_error, a row per key and window.
   key: the columns that tell the series apart. #}
{% macro slope_of_differences(of, key) -%}
    {%- set keys = key | join(', ') -%}
    {%- set weight = '(1 / power(difference_error, 2))' -%}
    {%- set off_x = '(window_number - mean_window)' -%}
{{ of }}_means as (

    select
        {{ keys }},
        {{ sum_of_doubles(weight ~ ' * window_number') }} / {{ sum_of_doubles(weight) }}
            as mean_window
    from {{ of }}
    group by {{ keys }}

),

{{ of }}_sums as (

    select
        {{ prefixed(key, of) }},
        count(*) as windows,
        {{ sum_of_doubles(weight ~ ' * power(' ~ off_x ~ ', 2)') }} as information,
        {{ sum_of_doubles(weight ~ ' * ' ~ off_x ~ ' * difference') }} as moment
    from {{ of }}
    inner join {{ of }}_means
        on {{ same(key, of, of ~ '_means') }}
    group by {{ prefixed(key, of) }}

),

{{ of }}_sloped as (

    -- One window has no slope: its information is 0, or a rounding away from it.
    select
        {{ keys }},
        windows,
        case when windows > 1 then moment / information end as slope,
        case when windows > 1 then 1 / sqrt(information) end as slope_error,
        case when windows > 1 then moment / sqrt(information) end as slope_z
    from {{ of }}_sums

)
{%- endmacro %}

{# Counts of the rows of a group that meet a condition, under a prefix of their own. #}
{% macro counts_where(condition, prefix) -%}
    {%- for count in ['responses', 'promoters', 'passives', 'detractors'] -%}
        cast(sum(case when {{ condition }} then {{ count }} else 0 end) as bigint)
            as {{ prefix }}_{{ count }}{{ ",
        " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# The names of those that the score's macros take, in their order. #}
{% macro counts_of(prefix) -%}
    {%- do return([prefix ~ '_detractors', prefix ~ '_passives', prefix ~ '_promoters']) -%}
{%- endmacro %}

{# The scores of several such counts, with the figures that change_columns takes of each. #}
{% macro scores_of(prefixes) -%}
    {%- for prefix in prefixes -%}
        {%- set each = counts_of(prefix) -%}
        {{ nps(*each) }} as {{ prefix }}_nps,
        {{ nps_adjusted(*each) }} as {{ prefix }}_nps_adjusted,
        {{ nps_standard_error(*each) }} as {{ prefix }}_nps_standard_error{{ ",
        " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# The first thing that keeps an initiative from being judged; null where nothing does. A company
   never has a control: what it did can't be separated from what happened to everybody.

   windows, comparisons, overlapping: relations of initiative_windows, of initiative_comparisons,
   and of overlapping_initiatives; rows may be missing of the last two. #}
{% macro why_it_cannot_be_told(windows, comparisons, overlapping) -%}
    {%- set enough = var('nps_min_responses') -%}
    case
        when {{ windows }}.started_on is null then 'scope or start unknown'
        when {{ windows }}.scope_type = 'unknown' then 'scope or start unknown'
        when {{ windows }}.scope_id = 'unknown' then 'scope or start unknown'
        when {{ windows }}.scope_id = 'withheld' then 'agents are not shown'
        when not {{ windows }}.is_window_over then 'window not over'
        when coalesce({{ comparisons }}.before_responses, 0) < {{ enough }} then 'too few answers'
        when coalesce({{ comparisons }}.after_responses, 0) < {{ enough }} then 'too few answers'
        when {{ comparisons }}.control_before_responses < {{ enough }} then 'no control'
        when {{ comparisons }}.control_after_responses < {{ enough }} then 'no control'
        when {{ overlapping }}.overlapping_initiatives > 0 then 'another initiative overlaps'
        when coalesce({{ comparisons }}.history_windows, 0) < 2 then 'too little history'
        when {{ comparisons }}.trend_p_value < {{ significance_level() }}
            then 'trends not parallel'
    end
{%- endmacro %}

{# What the verdict of a comparison means for what was done. #}
{% macro helped_or_hurt(direction) -%}
    case {{ direction }}
        when 'up' then 'helped'
        when 'down' then 'hurt'
        else {{ text_literal("can't tell") }}
    end
{%- endmacro %}

{# Why there is none: the reason it was not judged, or that chance explains the difference. #}
{% macro why_no_verdict(direction, reason) -%}
    case when {{ direction }} = 'no evidence' then coalesce({{ reason }}, 'within chance') end
{%- endmacro %}

{# The four that a difference in differences is made of, in its macros' order. #}
{% macro compared_sides() -%}
    {%- do return(['before', 'after', 'control_before', 'control_after']) -%}
{%- endmacro %}

{# A figure of each of the four. #}
{% macro each_side(figure) -%}
    {%- set columns = [] -%}
    {%- for side in compared_sides() -%}
        {%- do columns.append(side ~ '_' ~ figure) -%}
    {%- endfor -%}
    {%- do return(columns) -%}
{%- endmacro %}
