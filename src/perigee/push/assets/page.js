/* Web push on the pages of a domain. Called with {base, site, worker, scope}.
   es('pushOn'[, {'service-worker': {relUrl, scope}}]); es('getPushToken', callback);
   es('sendEvent', eventTypeKey, pushToken, [{name, value}]) */
function (site) {
  'use strict';
  var w = window, d = document;
  if (w._esWebPush) return;
  w._esWebPush = true;

  var TOKEN = 'esPushToken', CONTACT = 'esWebPushContactId', SENT = 'esPushSent';
  var settings = {}, subscribing = null, waiting = [];

  function stored(name) { try { return w.localStorage.getItem(name); } catch (e) { return null; } }
  function store(name, value) { try { w.localStorage.setItem(name, value); } catch (e) { /* full or forbidden */ } }
  function warn(error) { if (w.console) w.console.warn('es: ' + error); }

  function possible() { return 'serviceWorker' in w.navigator && 'PushManager' in w && 'Notification' in w; }

  function bytes(text) {
    var raw = w.atob(text.replace(/-/g, '+').replace(/_/g, '/') + '==='.slice((text.length + 3) % 4));
    return Uint8Array.from(raw, function (c) { return c.charCodeAt(0); });
  }
  function same(buffer, other) {
    if (!buffer) return false;
    var one = new Uint8Array(buffer);
    return one.length === other.length && one.every(function (b, i) { return b === other[i]; });
  }

  /* Who the visitor is, as the tracking script keeps it. */
  function visitor() {
    var found;
    try { found = JSON.parse(stored('esState') || '{}') || {}; } catch (e) { found = {}; }
    if (found.customerId) return {visitor: found.customerId, contactId: (found.general || {}).user_es_contact_id};
    found = /(?:^|; )sc=([^;]*)/.exec(d.cookie);
    return {visitor: found ? decodeURIComponent(found[1]) : undefined};
  }

  function post(path, body) {
    return w.fetch(site.base + '/webpush/' + path, {
      method: 'POST', body: JSON.stringify(body), credentials: 'omit', keepalive: true,
      headers: {'Content-Type': 'text/plain'}
    }).then(function (response) {
      return response.text().then(function (text) {
        var content = text ? JSON.parse(text) : null;
        if (!response.ok) throw new Error(content && content.message || response.status);
        return content;
      });
    });
  }

  function register() {
    var own = settings['service-worker'] || {};
    var file = own.relUrl || site.worker;
    var scope = own.scope || (own.relUrl ? undefined : site.scope);
    return w.navigator.serviceWorker.register(file, scope ? {scope: scope} : undefined).then(function (registration) {
      if (registration.active) return registration;
      return new Promise(function (resolve) {
        var worker = registration.installing || registration.waiting;
        worker.addEventListener('statechange', function () {
          if (worker.state === 'activated') resolve(registration);
        });
      });
    });
  }

  function subscribe(registration) {
    var key = bytes(site.site);
    return registration.pushManager.getSubscription().then(function (found) {
      if (found && same(found.options && found.options.applicationServerKey, key)) return found;
      /* A subscription under another key can only be replaced. */
      return (found ? found.unsubscribe() : Promise.resolve()).then(function () {
        return registration.pushManager.subscribe({userVisibleOnly: true, applicationServerKey: key});
      });
    });
  }

  function report(subscription) {
    var who = visitor();
    var mark = [subscription.endpoint, who.visitor, who.contactId].join(' ');
    if (stored(SENT) === mark && stored(TOKEN)) return stored(TOKEN);
    return post('subscriptions', {
      site: site.site, subscription: subscription.toJSON(), language: w.navigator.language, page: w.location.href,
      visitor: who.visitor, contactId: who.contactId, replaces: stored(TOKEN) || undefined
    }).then(function (answer) {
      store(TOKEN, answer.token);
      store(CONTACT, String(answer.contactId));
      store(SENT, mark);
      waiting.splice(0).forEach(function (callback) { callback(answer.token); });
      return answer.token;
    });
  }

  function turnOn() {
    if (subscribing || !possible() || w.Notification.permission === 'denied') return;
    subscribing = Promise.resolve(w.Notification.requestPermission()).then(function (permission) {
      if (permission === 'granted') return register().then(subscribe).then(report);
    }).catch(warn).then(function () { subscribing = null; });
  }

  var commands = {
    pushOn: function (given) {
      if (given && typeof given === 'object') settings = given;
      turnOn();
    },
    getPushToken: function (callback) {
      if (typeof callback !== 'function') return;
      if (stored(TOKEN)) callback(stored(TOKEN)); else waiting.push(callback);
    },
    sendEvent: function (eventTypeKey, token, params) {
      post('events', {site: site.site, eventTypeKey: eventTypeKey, token: token, params: params || []}).catch(warn);
    }
  };

  function run(call) {
    var command = commands[call[0]];
    if (command) command.apply(null, Array.prototype.slice.call(call, 1)); else warn('unknown command ' + call[0]);
  }

  /* Browsers that ask only after a click, and pages that want to be asked by one. */
  d.addEventListener('click', function (event) {
    var element = event.target && event.target.closest && event.target.closest('.es-push-prompt-init');
    if (element) turnOn();
  });

  var early = w.es && w.es.q || [];
  w.es = function () { run(arguments); };
  w.es.q = {push: function () { Array.prototype.forEach.call(arguments, run); return 0; }, length: 0};
  Array.prototype.forEach.call(early, run);
}
