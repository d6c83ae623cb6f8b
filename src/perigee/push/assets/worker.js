/* The push worker, imported into the worker file of a shop. Called with {base}. Names stay inside: the shop's own
   worker may use any. A message is JSON with es_interaction_id, es_title, es_content, es_link (counts the click),
   es_link_raw, and what showNotification takes: icon, image, badge, tag, requireInteraction;
   es_buttons: [{title, link, icon}]. */
function (site) {
  'use strict';
  var scope = self;
  if (scope._esPushWorker) return;
  scope._esPushWorker = true;

  function parse(data) {
    try { return data ? data.json() : null; } catch (e) { return {es_content: data.text()}; }
  }
  function base64url(buffer) {
    var text = Array.from(new Uint8Array(buffer), function (b) { return String.fromCharCode(b); }).join('');
    return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }
  function isLink(text) { return typeof text === 'string' && /^https?:\/\//i.test(text); }

  function post(path, body) {
    return fetch(site.base + '/webpush/' + path, {
      method: 'POST', body: JSON.stringify(body), credentials: 'omit', keepalive: true,
      headers: {'Content-Type': 'text/plain'}
    }).catch(function () { /* the message was shown all the same */ });
  }

  /* The domain's key and the browser's token, both from the subscription. */
  function identity() {
    return scope.registration.pushManager.getSubscription().then(function (subscription) {
      if (!subscription || !subscription.options || !subscription.options.applicationServerKey) return null;
      return crypto.subtle.digest('SHA-256', new TextEncoder().encode(subscription.endpoint)).then(function (hash) {
        return {site: base64url(subscription.options.applicationServerKey), token: base64url(hash)};
      });
    });
  }
  function report(id, status) {
    if (!id) return Promise.resolve();
    return identity().then(function (who) {
      if (who) return post('reports', {site: who.site, token: who.token, interactionId: id, status: status});
    }).catch(function () { /* as above */ });
  }

  function show(message) {
    var buttons = Array.isArray(message.es_buttons) ? message.es_buttons : [];
    var links = {'': isLink(message.es_link) ? message.es_link : message.es_link_raw};
    var given = {
      body: message.es_content || '', data: {id: message.es_interaction_id, links: links},
      actions: buttons.slice(0, 2).map(function (button, place) {
        links['b' + place] = button.link;
        return {action: 'b' + place, title: String(button.title || ''), icon: button.icon};
      })
    };
    ['icon', 'image', 'badge', 'tag', 'requireInteraction', 'renotify', 'silent', 'lang', 'dir'].forEach(function (name) {
      if (message[name] !== undefined) given[name] = message[name];
    });
    return scope.registration.showNotification(message.es_title || '', given);
  }

  scope.addEventListener('push', function (event) {
    var message = parse(event.data);
    /* Without a message of ours it is another script's push. */
    if (!message || !(message.es_title || message.es_content)) return;
    event.waitUntil(show(message).then(function () { return report(message.es_interaction_id, 'DELIVERED'); }));
  });

  scope.addEventListener('notificationclick', function (event) {
    var data = event.notification.data || {};
    if (!data.links) return;
    event.notification.close();
    var link = data.links[event.action] || data.links[''];
    var opened = isLink(link) ? scope.clients.openWindow(link) : Promise.resolve();
    event.waitUntil(Promise.all([opened, report(data.id, 'CLICKED')]));
  });

  scope.addEventListener('pushsubscriptionchange', function (event) {
    var old = event.oldSubscription;
    var key = old && old.options && old.options.applicationServerKey;
    if (!key) return;
    event.waitUntil(Promise.all([
      event.newSubscription || scope.registration.pushManager.subscribe({userVisibleOnly: true, applicationServerKey: key}),
      crypto.subtle.digest('SHA-256', new TextEncoder().encode(old.endpoint))
    ]).then(function (found) {
      return post('subscriptions', {
        site: base64url(key), subscription: found[0].toJSON(), language: scope.navigator.language,
        replaces: base64url(found[1])
      });
    }));
  });

  scope.addEventListener('install', function () { scope.skipWaiting(); });
  scope.addEventListener('activate', function (event) { event.waitUntil(scope.clients.claim()); });
}
