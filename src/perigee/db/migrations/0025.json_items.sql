-- What a parameter of an event lists: the elements of a JSON array, or the one object. Callers of the older methods
-- send JSON as a text; it is read where it is sound. Everything else lists nothing. One expression, so that the
-- planner puts it in place of the call.
create function json_items(value jsonb) returns jsonb
language sql stable parallel safe as $$
    select case jsonb_typeof(value)
        when 'array' then value
        when 'object' then jsonb_build_array(value)
        when 'string' then
            case when left(ltrim(value #>> '{}', E' \t\n\r'), 1) = '[' and pg_input_is_valid(value #>> '{}', 'jsonb')
                 then (value #>> '{}')::jsonb
                 when left(ltrim(value #>> '{}', E' \t\n\r'), 1) = '{' and pg_input_is_valid(value #>> '{}', 'jsonb')
                 then jsonb_build_array((value #>> '{}')::jsonb)
                 else '[]'::jsonb end
        else '[]'::jsonb end
$$;
