/* The tracking script of a site. Called with {base, orgId, siteId}.
   eS('init' | 'sendEvent' | 'sendEventWithTags' | 'getRecommendations' | 'consent' | 'appInbox', …) */
function (site) {
  'use strict';
  var w = window, d = document;
  if (w._esTracker) return;
  w._esTracker = true;
  w._esConfig = w._esConfig || {};
  w._esConfig.orgId = site.orgId;
  w._esConfig.siteId = site.siteId;

  var YEAR = 31536000, STATE = 'esState', CONSENT = 'esConsent';
  var LISTS = {ProductImpressions: 'ProductImpression'};
  var NAMES = ['externalCustomerId', 'user_email', 'user_phone'];
  var KEPT = NAMES.concat('user_name', 'user_es_contact_id');
  var options = {TRACKING: true, RECOMS: true};
  var started = false, running = false, waiting = [], lastPage = null, state;

  /* --- what the browser keeps ------------------------------------------------------------------------------ */

  function stored(name) { try { return w.localStorage.getItem(name); } catch (e) { return null; } }
  function store(name, value) { try { w.localStorage.setItem(name, value); } catch (e) { /* full or forbidden */ } }
  function forget(name) { try { w.localStorage.removeItem(name); } catch (e) { /* forbidden */ } }
  function parsed(text) {
    try { var value = JSON.parse(text); return value && typeof value === 'object' ? value : {}; } catch (e) { return {}; }
  }
  function cookie(name) {
    var found = ('; ' + d.cookie).split('; ' + name + '=')[1];
    if (found === undefined) return null;
    try { return decodeURIComponent(found.split(';')[0]); } catch (e) { return null; }
  }
  function putCookie(name, value, seconds) {
    d.cookie = name + '=' + encodeURIComponent(value) + '; path=/; max-age=' + seconds + '; SameSite=Lax' +
      (w.location.protocol === 'https:' ? '; Secure' : '');
  }
  function uuid() {
    if (w.crypto.randomUUID) return w.crypto.randomUUID();
    var b = w.crypto.getRandomValues(new Uint8Array(16));
    b[6] = b[6] & 15 | 64; b[8] = b[8] & 63 | 128;
    var hex = Array.prototype.map.call(b, function (x) { return (x + 256).toString(16).slice(1); }).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  function recognise() {
    state = parsed(stored(STATE));
    state.customerId = state.customerId || cookie('sc') || uuid();
    state.general = state.general && typeof state.general === 'object' ? state.general : {};
    var contact = contactOfLink(w.location.search);
    if (contact) state.general.user_es_contact_id = contact;
    save();
  }
  function save() {
    store(STATE, JSON.stringify(state));
    putCookie('sc', state.customerId, 2 * YEAR);
  }

  /* A link in a message names the contact: etm_term, else utm_content. */
  function contactOfLink(search) {
    var q = new URLSearchParams(search);
    var content = q.get('utm_content') || '', found;
    if (isId(q.get('etm_term'))) return q.get('etm_term');
    if ((found = /^Yespo-(.*)$/.exec(content)) && isId(found[1])) return found[1];
    if (/^Yespo-/.test(q.get('utm_source') || '') && isId(content)) return content;
    return null;
  }
  function isId(text) { return /^[1-9][0-9]{0,18}$/.test(text || ''); }

  /* --- events ---------------------------------------------------------------------------------------------- */

  /* The visitor's own answer counts; without one the site's option, or with DNT: true the browser's wish. */
  function allowed() {
    var answer = stored(CONSENT);
    if (answer) return answer === 'yes';
    return options.CONSENT !== false && !(options.DNT && (w.navigator.globalPrivacyControl || w.navigator.doNotTrack === '1'));
  }

  function send(name, data) {
    if (!running || !allowed()) return;
    if (!state) recognise();
    var body = data && typeof data === 'object' ? Object.assign({}, data) : {};
    var own = body[name] && typeof body[name] === 'object' ? body[name] : {};
    var general = Object.assign({}, own.GeneralInfo, body.GeneralInfo);
    remember(general);
    if (name === 'CustomerData') {
      remember(Object.assign({}, own, {externalCustomerId: own.externalCustomerId || own.user_client_id || own.user_card_id}));
    }
    body.GeneralInfo = Object.assign({}, state.general, general, {
      eventName: name,
      siteId: site.siteId,
      datetime: Date.now(),
      location: w.location.href,
      cookies: {sc: state.customerId}
    });
    var place = new URLSearchParams(w.location.search).get('sc_content');
    if (place) body.GeneralInfo.s_location = place;
    post('/tracker/api/v2', body);
  }

  /* Who signs in after somebody else on this browser inherits nothing of the other. */
  function remember(given) {
    var changed = false, both = NAMES.filter(function (name) { return given[name] && state.general[name]; });
    if (both.length && both.every(function (name) { return state.general[name] !== String(given[name]); })) {
      state.general = {};
    }
    KEPT.forEach(function (name) {
      var value = given[name];
      if (value !== undefined && value !== null && value !== '' && state.general[name] !== String(value)) {
        state.general[name] = String(value);
        changed = true;
      }
    });
    if (changed) save();
  }

  /* text/plain needs no question beforehand, and keepalive outlives the page; where a browser has no keepalive, a
     beacon does. Both take little more than 60 kB. */
  function post(path, body, answer) {
    var request = {method: 'POST', body: JSON.stringify(body), credentials: 'omit', headers: {'Content-Type': 'text/plain'}};
    request.keepalive = request.body.length < 20000;
    if (!answer && request.keepalive && !('keepalive' in w.Request.prototype) && w.navigator.sendBeacon &&
        w.navigator.sendBeacon(site.base + path, request.body)) return;
    return w.fetch(site.base + path, request).then(answer, answer && function () { return answer(null); })
      .catch(function (error) { if (w.console) w.console.warn('eS: ' + error); });
  }

  function pageView() {
    if (w.location.href === lastPage) return;
    lastPage = w.location.href;
    if (state) recognise();
    send('PageView', {PageView: {}});
  }

  /* A single-page site changes the address without loading; a site with TRACKING: false reports that itself. */
  function watchAddress() {
    function moved() { w.setTimeout(function () { if (options.TRACKING !== false) pageView(); }, 0); }
    ['pushState', 'replaceState'].forEach(function (name) {
      var original = w.history[name];
      w.history[name] = function () {
        var result = original.apply(this, arguments);
        moved();
        return result;
      };
    });
    w.addEventListener('popstate', moved);
    /* Back to a page that the browser kept alive. */
    w.addEventListener('pageshow', function (event) { if (event.persisted) { lastPage = null; pageView(); } });
  }

  /* --- commands -------------------------------------------------------------------------------------------- */

  var commands = {
    init: function (first, second) {
      [first, second].forEach(function (given) {
        if (given && typeof given === 'object') Object.assign(options, given);
      });
      w._esConfig.options = options;
      if (started) return;
      started = true;
      /* A page that is loaded in case it is wanted has no visitor yet. */
      if (d.prerendering) d.addEventListener('prerenderingchange', start, {once: true}); else start();
    },
    sendEvent: function (name, data) { if (typeof name === 'string') send(name, data); },
    sendEventWithTags: function (name, data) {
      if (typeof name !== 'string') return;
      var body = Object.assign({}, data), list = LISTS[name];
      if (list && body[name] === undefined && body[list] !== undefined) name = list;
      send(name, body);
    },
    getRecommendations: function (wanted, callback) {
      callback = typeof callback === 'function' ? callback : function () {};
      var body = Object.assign({}, wanted, {siteId: site.siteId});
      if (allowed() && state) body.visitor = state.customerId;
      post('/tracker/recommendations', body, function (response) {
        if (!response) return callback('recommendations cannot be reached', null);
        return response.json().then(function (content) {
          if (response.ok) callback(null, content.products); else callback(content.message, null);
        });
      });
    },
    /* eS('consent', false) stops tracking and takes away what was stored; eS('consent', true) begins. */
    consent: function (agreed) {
      store(CONSENT, agreed ? 'yes' : 'no');
      if (agreed) {
        lastPage = null;
        if (running) { recognise(); pageView(); }
      } else {
        forget(STATE);
        putCookie('sc', '', 0);
        state = undefined;
      }
    }
  };

  function start() {
    running = true;
    if (allowed()) recognise();
    watchAddress();
    pageView();
    waiting.splice(0).forEach(run);
  }

  function run(call) {
    var name = call[0];
    if (!Object.prototype.hasOwnProperty.call(commands, name)) {
      /* Widgets of other scripts (App Inbox) read their calls here. */
      (w._esConfig.calls = w._esConfig.calls || []).push(call);
      return;
    }
    if (!running && name !== 'init' && name !== 'consent') { waiting.push(call); return; }
    commands[name].apply(null, Array.prototype.slice.call(call, 1));
  }

  var early = w.eS && w.eS.q || [];
  w.eS = function () { run(arguments); };
  /* Some plugins push raw arguments into the queue, also after the file arrived. */
  w.eS.q = {push: function () { Array.prototype.forEach.call(arguments, run); return 0; }, length: 0};
  if (!w.es) w.es = function () { (w.es.q = w.es.q || []).push(arguments); };
  Array.prototype.forEach.call(early, run);
  /* Plugins watch the document until _esConfig and the visitor are there: something must change in it. */
  (d.body || d.documentElement).appendChild(d.createComment('eS'));
}
