-- How often values occur once upper and lower case are the same, as conditions on fields compare them. Without this the
-- planner takes one in two hundred for every such condition, and the plan of a segment with it.
create statistics contact_language_folded on lower(language) from contact;
create statistics contact_region_folded on lower(region) from contact;
create statistics contact_town_folded on lower(town) from contact;
create statistics contact_first_name_folded on lower(first_name) from contact;
create statistics contact_last_name_folded on lower(last_name) from contact;
