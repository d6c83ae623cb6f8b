-- name: keep_mail
insert into bounce_mail (org_id, contact_id, recipient, raw)
select %(org_id)s, m.* from unnest(%(contacts)s::bigint[], %(recipients)s::text[], %(raws)s::bytea[]) as m

-- name: claim_mail
-- across organisations: a worker takes what waits. Whoever claimed and died is forgotten after five minutes; what ended
-- three workers is not tried again.
update bounce_mail m set claimed_at = now(), attempts = m.attempts + 1
from (
    select org_id, mail_id from bounce_mail
    where failed_at is null and attempts < 3 and (claimed_at is null or claimed_at < now() - interval '5 minutes')
    order by received_at limit %(limit)s for update skip locked
) due
where m.org_id = due.org_id and m.mail_id = due.mail_id
returning m.org_id, m.mail_id, m.recipient, m.raw, m.received_at

-- name: release_mail
-- Claimed and not looked at.
update bounce_mail set claimed_at = null, attempts = attempts - 1
where org_id = %(org_id)s and mail_id = any(%(ids)s::bigint[])

-- name: give_up_mail
-- across organisations: what ended its workers.
update bounce_mail set failed_at = now()
where failed_at is null and attempts >= 3 and claimed_at < now() - interval '5 minutes'

-- name: delete_mail
delete from bounce_mail where org_id = %(org_id)s and mail_id = any(%(ids)s::bigint[])

-- name: fail_mail
update bounce_mail set failed_at = now() where org_id = %(org_id)s and mail_id = any(%(ids)s::bigint[])

-- name: prune_mail
-- across organisations: a month for looking at what could not be read.
delete from bounce_mail where failed_at < now() - interval '30 days'

-- name: went_to
-- Of these messages, those that went to the given address.
select r.n from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(addresses)s::text[])
    with ordinality as r (send_id, ordinal, address, n)
join send s on s.org_id = %(org_id)s and s.send_id = r.send_id
join delivery d on d.org_id = %(org_id)s and d.send_started_at = s.started_at and d.send_id = r.send_id
    and d.ordinal = r.ordinal and d.address = r.address

-- name: brake_figures
-- Of running campaigns by email: how many of the first addresses there are and are dead, how many messages went out, how
-- many people complained.
select s.send_id, s.brakes, least(%(first)s, s.chosen - s.dropped),
       (select count(*) from delivery d
        where d.org_id = s.org_id and d.send_started_at = s.started_at and d.send_id = s.send_id
          and d.ordinal <= %(first)s and d.outcome = 'failed' and d.reason = any(%(hard)s))
       + (select count(*) from late_bounce l
          where l.org_id = s.org_id and l.send_id = s.send_id and l.ordinal <= %(first)s and l.reason = any(%(hard)s)),
       (select coalesce(sum(b.sent), 0) from send_batch b where b.org_id = s.org_id and b.send_id = s.send_id),
       (select count(distinct a.ordinal) from activity a
        where a.org_id = s.org_id and a.send_id = s.send_id and a.status = 'SPAM')
from send s
where s.org_id = %(org_id)s and s.send_id = any(%(sends)s::bigint[]) and s.kind = 'campaign' and s.channel = 'email'
  and s.state = 'running'

-- name: note_brake
update send set brakes = array_append(brakes, %(brake)s)
where org_id = %(org_id)s and send_id = %(send_id)s

-- name: insert_intake
insert into webhook_intake (org_id, service, key) values (%(org_id)s, %(service)s, %(key)s)
returning intake_id, service, created_at, called_at

-- name: list_intakes
select intake_id, service, created_at, called_at from webhook_intake where org_id = %(org_id)s order by intake_id

-- name: get_intake
select service, key from webhook_intake where org_id = %(org_id)s and intake_id = %(intake_id)s

-- name: touch_intake
-- At most once a minute: every call would write the same row.
update webhook_intake set called_at = now()
where org_id = %(org_id)s and intake_id = %(intake_id)s
  and (called_at is null or called_at < now() - interval '1 minute')

-- name: delete_intake
delete from webhook_intake where org_id = %(org_id)s and intake_id = %(intake_id)s returning 1

-- name: insert_mailbox
insert into bounce_mailbox (org_id, host, port, security, username, password, folder)
values (%(org_id)s, %(host)s, %(port)s, %(security)s, %(username)s, %(password)s, %(folder)s)
returning mailbox_id, host, port, security, username, folder, polled_at, error

-- name: list_mailboxes
select mailbox_id, host, port, security, username, folder, polled_at, error from bounce_mailbox
where org_id = %(org_id)s order by mailbox_id

-- name: delete_mailbox
delete from bounce_mailbox where org_id = %(org_id)s and mailbox_id = %(mailbox_id)s returning 1

-- name: get_mailbox
select org_id, mailbox_id, host, port, security, username, password, folder, uid_validity, last_uid
from bounce_mailbox where org_id = %(org_id)s and mailbox_id = %(mailbox_id)s

-- name: due_mailboxes
-- across organisations: a worker takes those that nobody looked into for a minute.
update bounce_mailbox b set polled_at = now()
from (
    select org_id, mailbox_id from bounce_mailbox
    where polled_at is null or polled_at < now() - interval '1 minute'
    order by polled_at nulls first limit 10 for update skip locked
) due
where b.org_id = due.org_id and b.mailbox_id = due.mailbox_id
returning b.org_id, b.mailbox_id, b.host, b.port, b.security, b.username, b.password, b.folder, b.uid_validity, b.last_uid

-- name: advance_mailbox
-- Nothing when another worker was here in between.
update bounce_mailbox set uid_validity = %(uid_validity)s, last_uid = %(last_uid)s, error = null
where org_id = %(org_id)s and mailbox_id = %(mailbox_id)s
  and uid_validity is not distinct from %(before_validity)s and last_uid = %(before)s
returning 1

-- name: note_mailbox_error
update bounce_mailbox set error = %(error)s where org_id = %(org_id)s and mailbox_id = %(mailbox_id)s
