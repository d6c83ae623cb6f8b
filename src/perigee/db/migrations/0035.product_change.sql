-- What changed about products, for those who wait for it: the price (in the same currency) or whether there are any.
-- Written by the statement that stores the product (products/queries.sql); what orders say is no change. Pruned.
create table product_change (
    org_id        bigint not null,
    changed_at    timestamptz not null,
    product_id    text not null,
    old_price     numeric(18,4),
    price         numeric(18,4),
    currency      text,
    old_in_stock  boolean,
    in_stock      boolean,
    primary key (org_id, changed_at, product_id)
);
create index product_change_product on product_change (org_id, product_id, changed_at);
create index product_change_age on product_change using brin (changed_at);
