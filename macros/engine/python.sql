{# What Python computes within a query. An engine that can't call Python reads what was computed
   beforehand and landed instead. #}

{# Explained variance and the drivers' shares of it, as `importance.shares_of_variance` has them: a
   value that explained_variance and share_of_variance read.

   sums: columns or SQL, in the order of importance_sums. #}
{% macro shares_of_variance(sums) -%}
    {{ adapter.dispatch('shares_of_variance')(sums) }}
{%- endmacro %}

{% macro default__shares_of_variance(sums) -%}
    nps_lmg([{{ sums | join(', ') }}])
{%- endmacro %}

{% macro explained_variance(shares) -%}
    {{ adapter.dispatch('explained_variance')(shares) }}
{%- endmacro %}

{% macro default__explained_variance(shares) -%}
    {{ shares }}[1]
{%- endmacro %}

{# place: of the driver, from 1. #}
{% macro share_of_variance(shares, place) -%}
    {{ adapter.dispatch('share_of_variance')(shares, place) }}
{%- endmacro %}

{% macro default__share_of_variance(shares, place) -%}
    {{ shares }}[1 + {{ place }}]
{%- endmacro %}
