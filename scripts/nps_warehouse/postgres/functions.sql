-- What PostgreSQL lacks of what the macros of macros/engine call. Made anew by every landing, by the
-- owner of the warehouse; no extension and no untrusted language is needed, so a managed server will
-- do. {word} is the class of letters and figures of any script, which PostgreSQL's own classes are
-- only nearly.

create schema if not exists nps_engine;

-- A quotient of whole numbers, or of decimals, has its fraction, as in DuckDB: builds look into this
-- schema before they look into pg_catalog (search_path of profiles.yml), so that no model can forget
-- a cast. Readers' own queries are left alone.
{operators}
-- Roots and powers of whole numbers and decimals are floating point numbers, too.
create or replace function nps_engine.sqrt(numeric) returns double precision
language sql immutable strict parallel safe as 'select pg_catalog.sqrt($1::double precision)';

create or replace function nps_engine.power(numeric, numeric) returns double precision
language sql immutable strict parallel safe as
'select pg_catalog.power($1::double precision, $2::double precision)';

-- Every character that macro blank_characters names, for btrim.
create or replace function nps_engine.blanks() returns text
language sql immutable parallel safe as $$
    select string_agg(chr(code), '' order by code)
    from (
        select generate_series(1, 32) as code
        union all select generate_series(8192, 8207)
        union all select generate_series(8287, 8292)
        union all select unnest(array[133, 160, 5760, 6158, 8232, 8233, 8239, 12288, 65279])
    ) as codes
$$;

create or replace function nps_engine.error(message text) returns text
language plpgsql stable as $$
begin
    raise exception '%', message;
end $$;

-- What catches an error begins a subtransaction, which no query may that is worked on side by side.
create or replace function nps_engine.try_double(value text) returns double precision
language plpgsql immutable strict parallel unsafe as $$
declare
    number double precision;
begin
    number := value::double precision;
    return case when number not in ('Infinity', '-Infinity', 'NaN') then number end;
exception
    -- Too large is no number, too small is none.
    when numeric_value_out_of_range then
        return case when abs(value::numeric) < 1 then 0 end;
    when invalid_text_representation then
        return null;
end $$;

create or replace function nps_engine.try_bigint(value text) returns bigint
language plpgsql immutable strict parallel unsafe as $$
begin
    return value::numeric::bigint;
exception
    when numeric_value_out_of_range or invalid_text_representation or feature_not_supported then
        return null;
end $$;

create or replace function nps_engine.try_integer(value text) returns integer
language plpgsql immutable strict parallel unsafe as $$
begin
    return value::numeric::integer;
exception
    when numeric_value_out_of_range or invalid_text_representation or feature_not_supported then
        return null;
end $$;

-- The caller has seen to it that the text has the form of a timestamp: it names no `now`.
create or replace function nps_engine.try_timestamp(value text) returns timestamp
language plpgsql immutable strict parallel unsafe as $$
begin
    return value::timestamp;
exception
    when invalid_datetime_format or datetime_field_overflow then
        return null;
end $$;

create or replace function nps_engine.try_zoned(value text) returns timestamp with time zone
language plpgsql stable strict parallel unsafe as $$
begin
    return value::timestamp with time zone;
exception
    when invalid_datetime_format or datetime_field_overflow then
        return null;
end $$;

create or replace function nps_engine.marked_words(value text) returns text
language sql immutable strict parallel safe as $$
    select regexp_replace(translate(value, '␞␟', '  '), '([{word}]+)', '␞\1␟', 'g')
$$;

create or replace function nps_engine.spaced_words(value text) returns text
language sql immutable strict parallel safe as $$
    select trim(regexp_replace(value, '[^{word}]+', ' ', 'g'))
$$;

-- As nps_warehouse.importance.shares computes it, sums in its order: R², then each variable's share
-- of it (Lindeman, Merenda and Gold 1980, p. 119), of what each set of variables leaves unexplained.
create or replace function nps_engine.shares_of_variance(sums double precision [])
returns double precision []
language plpgsql immutable strict parallel safe as $$
declare
    least_variance constant double precision := 1e-9;
    k integer := 0;
    w integer;                          -- width of a matrix: the variables and y
    n double precision := sums[1];
    totals double precision [];
    products double precision [];       -- row by row, w a row
    base double precision [];
    deviation double precision [];
    varies boolean [];
    rest double precision [];           -- all sets' matrices, one behind the other
    explained double precision [];      -- R² of each set
    shares double precision [];
    place integer;
    p integer;
    q integer;
    v integer;
    s integer;
    sets integer;
    from_at integer;
    to_at integer;
    own double precision;
    members integer;
    left_over integer;
    gain double precision;
begin
    for candidate in 1..12 loop
        if cardinality(sums) = 3 + 2 * candidate + candidate * (candidate + 1) / 2 then
            k := candidate;
        end if;
    end loop;
    if k = 0 then
        raise exception '% sums are those of no number of variables from 1 to 12.', cardinality(sums);
    end if;
    w := k + 1;
    totals := sums[4:3 + k] || sums[2];
    products := array_fill(0::double precision, array[w * w]);
    place := 4 + 2 * k;
    for p in 1..k loop
        for q in p..k loop
            products[(p - 1) * w + q] := sums[place];
            products[(q - 1) * w + p] := sums[place];
            place := place + 1;
        end loop;
        products[(p - 1) * w + w] := sums[3 + k + p];
        products[k * w + p] := sums[3 + k + p];
    end loop;
    products[w * w] := sums[3];
    if n <= 0 then
        return array_fill(0::double precision, array[w]);
    end if;
    base := products;
    for p in 1..w loop
        for q in 1..w loop
            base[(p - 1) * w + q] := products[(p - 1) * w + q] - totals[p] * totals[q] / n;
        end loop;
        deviation[p] := sqrt(greatest(base[(p - 1) * w + p], 0));
        varies[p] := deviation[p]
            > sqrt(least_variance) * sqrt(greatest(products[(p - 1) * w + p], 0));
    end loop;
    if not varies[w] then
        return array_fill(0::double precision, array[w]);
    end if;
    for p in 1..w loop
        for q in 1..w loop
            base[(p - 1) * w + q] := case
                when varies[p] and varies[q]
                    then base[(p - 1) * w + q] / (deviation[p] * deviation[q])
                else 0
            end;
        end loop;
    end loop;
    sets := 2 ^ k;
    rest := array_fill(0::double precision, array[sets * w * w]);
    for p in 1..w * w loop
        rest[p] := base[p];
    end loop;
    for v in 0..k - 1 loop
        for s in 0..(1 << v) - 1 loop
            from_at := s * w * w;
            to_at := (s + (1 << v)) * w * w;
            own := rest[from_at + v * w + v + 1];
            for p in 0..k loop
                for q in 0..k loop
                    rest[to_at + p * w + q + 1] := rest[from_at + p * w + q + 1] - case
                        when own > least_variance
                            then rest[from_at + p * w + v + 1] * rest[from_at + v * w + q + 1] / own
                        else 0
                    end;
                end loop;
            end loop;
        end loop;
    end loop;
    for s in 0..sets - 1 loop
        explained[s + 1] := least(greatest(1 - rest[(s + 1) * w * w], 0), 1);
    end loop;
    shares := array[explained[sets]];
    for v in 0..k - 1 loop
        gain := 0;
        for s in 0..sets - 1 loop
            if (s >> v) & 1 = 0 then
                members := bit_count(s::bit(16));
                left_over := k - members - 1;
                gain := gain + (factorial(members) * factorial(left_over) / factorial(k))
                    ::double precision * (explained[(s | (1 << v)) + 1] - explained[s + 1]);
            end if;
        end loop;
        shares := shares || gain;
    end loop;
    return shares;
end $$;
