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
