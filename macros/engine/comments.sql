{# What comments say. On DuckDB the functions are made by the landing, of the effective seeds: an
   engine compiles a pattern that stands in the query once, and one of a column once a row. #}

{# A comment in small letters without accents, with one blank around each word. #}
{% macro folded_comment(comment) -%}
    raw.folded_comment({{ comment }})
{%- endmacro %}

{# The themes of the seed comment_themes that a folded comment says, each between bars. #}
{% macro said_themes(folded_comment, language) -%}
    raw.said_themes({{ folded_comment }}, {{ language }})
{%- endmacro %}

{# The weights of the words of the seed sentiment_words in a folded comment, added up. #}
{% macro sentiment_weight(folded_comment, language) -%}
    raw.sentiment_weight({{ folded_comment }}, {{ language }})
{%- endmacro %}

{# A query: of every comment of a relation its key, its themes and the weight of its words.

   folded: relation with response_id, language and folded_text. #}
{% macro comments_read(folded) -%}
    {{ adapter.dispatch('comments_read')(folded) }}
{%- endmacro %}

{% macro default__comments_read(folded) -%}
    select
        response_id,
        {{ said_themes('folded_text', 'language') }} as said_themes,
        {{ sentiment_weight('folded_text', 'language') }} as sentiment_weight
    from {{ folded }}
{%- endmacro %}

{# PostgreSQL keeps the last 32 patterns compiled, so each is taken through all comments before the
   next: `offset 0` holds the planner to it. The patterns are landed beside the functions. #}
{% macro postgres__comments_read(folded) -%}
    {%- set spoken -%}
        (
            findings.language = ''
            or findings.language = comments.language
            or not coalesce(comments.language, '') = any(findings.known_languages)
        )
    {%- endset -%}
    {%- set text = "replace(comments.folded_text, ' ', '  ')" -%}
    select
        comments.response_id,
        '|' || coalesce(themes.said_themes, '') as said_themes,
        coalesce(words.sentiment_weight, 0) as sentiment_weight
    from {{ folded }} as comments
    left join (
        select
            response_id,
            string_agg(theme || '|', '' order by theme) as said_themes
        from (
            select
                found.response_id,
                findings.theme
            from raw._theme_findings as findings
            cross join lateral (
                select comments.response_id
                from {{ folded }} as comments
                where
                    {{ spoken }}
                    and comments.folded_text ~ findings.pattern
                    and (
                        findings.denied is null
                        or regexp_replace(comments.folded_text, findings.denied, ' ', 'g')
                        ~ findings.pattern
                    )
                offset 0
            ) as found
            group by found.response_id, findings.theme
        ) as said
        group by response_id
    ) as themes
        on comments.response_id = themes.response_id
    left join (
        select
            found.response_id,
            sum(findings.weight * found.met) as sentiment_weight
        from raw._word_findings as findings
        cross join lateral (
            select
                comments.response_id,
                regexp_count({{ text }}, findings.pattern)
                - coalesce(2 * regexp_count({{ text }}, findings.denied), 0) as met
            from {{ folded }} as comments
            where
                {{ spoken }}
                and {{ text }} ~ findings.pattern
            offset 0
        ) as found
        group by found.response_id
    ) as words
        on comments.response_id = words.response_id
{%- endmacro %}
