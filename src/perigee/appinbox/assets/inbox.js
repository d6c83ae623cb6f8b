/* App Inbox on the pages of a shop: a bell, its unread count, the list. Called with {base}.
   PerigeeInbox.init({token, target[, every][, texts]}) returns {refresh, remove}; docs/how-to/app-inbox.md.
   What a message holds is never HTML of this page: it is parsed apart, and only known elements, without a single
   attribute, are made anew. */
function (site) {
  'use strict';
  var w = window, d = document;
  if (w.PerigeeInbox) return;

  var PAGE = 20, FOLLOW_AFTER = 1500;
  var TEXTS = {
    title: 'Messages', unread: 'unread', empty: 'No messages yet', markAll: 'Mark all as read', more: 'Show more',
    error: 'Messages cannot be shown now'
  };
  var KEPT = ['B', 'STRONG', 'I', 'EM', 'U', 'S', 'SMALL', 'BR', 'P', 'DIV', 'SPAN', 'UL', 'OL', 'LI'];
  var DROPPED = ['SCRIPT', 'STYLE', 'TEMPLATE', 'TITLE', 'NOSCRIPT', 'IFRAME', 'OBJECT', 'svg', 'math'];
  /* A constructed sheet, since policies of pages may forbid style elements. */
  var STYLE = ':host{position:relative;display:inline-block;font:14px/1.4 system-ui,sans-serif;color:#1f2328}' +
    ':host([hidden]),[hidden]{display:none!important}button{font:inherit;color:inherit;background:none;border:0;cursor:pointer;padding:4px}' +
    '.bell{position:relative;font-size:20px;line-height:1;padding:8px;color:var(--perigee-inbox-bell,inherit)}' +
    '.bell svg{display:block;width:1.2em;height:1.2em}' +
    '.count{position:absolute;top:0;right:0;min-width:16px;padding:1px 4px;border-radius:9px;box-sizing:border-box;' +
    'font-size:11px;line-height:14px;color:#fff;background:var(--perigee-inbox-accent,#cf222e)}' +
    '.panel{position:absolute;z-index:2147483000;top:100%;right:0;width:360px;max-width:92vw;max-height:70vh;overflow:auto;' +
    'background:#fff;border:1px solid #d0d7de;border-radius:8px;box-shadow:0 8px 24px rgba(0,0,0,.15)}' +
    '.panel.left{right:auto;left:0}.head{display:flex;justify-content:space-between;align-items:center;padding:8px 12px;' +
    'font-weight:600;position:sticky;top:0;background:#fff;border-bottom:1px solid #d0d7de}.head button{font-weight:400}' +
    '.message{display:flex;gap:10px;padding:10px 12px;border-bottom:1px solid #eaeef2;text-decoration:none;color:inherit;' +
    'cursor:pointer}.message:hover,.message:focus{background:#f6f8fa}.message.new .title{font-weight:700}' +
    '.message.new .title::after{content:"";display:inline-block;width:8px;height:8px;margin-left:6px;border-radius:50%;' +
    'background:var(--perigee-inbox-accent,#cf222e)}img{width:56px;height:56px;object-fit:cover;border-radius:4px;flex:none}' +
    '.body{min-width:0;overflow-wrap:anywhere}.text{white-space:pre-line}.text p,.text ul,.text ol{margin:0}' +
    '.time{font-size:12px;color:#656d76}.note{padding:16px 12px;color:#656d76}.more{display:block;width:100%;padding:10px}';
  var BELL = 'M12 2a6 6 0 0 0-6 6v4.6L4.3 16h15.4L18 12.6V8a6 6 0 0 0-6-6zm-2.5 16a2.5 2.5 0 0 0 5 0z';

  function warn(error) { if (w.console) w.console.warn('PerigeeInbox: ' + (error && error.message || error)); }
  function isLink(text) { return typeof text === 'string' && /^https?:\/\//i.test(text); }

  function make(name, className, text) {
    var element = d.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }
  function copy(from, to) {
    Array.prototype.forEach.call(from.childNodes, function (node) {
      if (node.nodeType === 3) to.appendChild(d.createTextNode(node.data));
      else if (node.nodeType !== 1) return;
      else if (KEPT.indexOf(node.nodeName) >= 0) to.appendChild(copy(node, make(node.nodeName)));
      else if (DROPPED.indexOf(node.nodeName) < 0) copy(node, to);
    });
    return to;
  }
  function styled(text) {
    var parsed;
    try { parsed = new w.DOMParser().parseFromString(text, 'text/html'); } catch (e) { return make('div', 'text', text); }
    return copy(parsed.body, make('div', 'text'));
  }

  /* Calls go one after the other, each with the token that the last answer brought. A lost answer costs nothing: the
     token that was shown stays good until its successor is used. `source`: a token, or a function that gets one. */
  function wire(source) {
    var token = '', last = Promise.resolve(), dead = false;

    function renew() {
      return Promise.resolve(typeof source === 'function' ? source() : source).then(function (found) {
        token = typeof found === 'string' ? found : '';
        if (!token) dead = true;
      });
    }
    function send(method, path, body) {
      var headers = {'ES-TOKEN': token};
      if (body) headers['Content-Type'] = 'application/json';
      return w.fetch(site.base + '/appinbox/v1/messages' + path, {
        method: method, headers: headers, body: body ? JSON.stringify(body) : undefined, credentials: 'omit',
        cache: 'no-store', keepalive: !!body
      }).then(function (response) {
        token = response.headers.get('ES-TOKEN') || token;
        return response;
      });
    }
    function ask(method, path, body) {
      return (token || dead ? Promise.resolve() : renew()).then(function () {
        return dead ? null : send(method, path, body);
      }).then(function (response) {
        if (!response || response.status !== 401) return response;
        if (typeof source !== 'function') { dead = true; return response; }
        return renew().then(function () { return dead ? null : send(method, path, body); });
      }).then(function (response) {
        if (!response) throw new Error('nobody is signed in');
        if (response.status === 401) dead = true;
        if (!response.ok) throw new Error('status ' + response.status);
        return response.text();
      }).then(function (text) { return text ? JSON.parse(text) : null; });
    }
    return {
      ended: function () { return dead; },
      call: function (method, path, body) {
        function go() { return ask(method, path, body); }
        last = last.then(go, go);
        return last;
      }
    };
  }

  function init(options) {
    var target = typeof options.target === 'string' ? d.querySelector(options.target) : options.target;
    if (!target) throw new Error('PerigeeInbox: target: no such element');
    if (target._perigeeInbox) target._perigeeInbox.remove();
    var texts = Object.assign({}, TEXTS, options.texts), inbox = wire(options.token);
    var count = 0, shown = {}, nextPage = 0;

    var host = make('div'), root = host.attachShadow({mode: 'open'}), sheet = new w.CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    var bell = make('button', 'bell'), badge = make('span', 'count');
    var panel = make('div', 'panel'), head = make('div', 'head'), all = make('button', 'all', texts.markAll);
    var list = make('div', 'list'), note = make('div', 'note'), more = make('button', 'more', texts.more);
    var icon = d.createElementNS('http://www.w3.org/2000/svg', 'svg'), path = d.createElementNS(icon.namespaceURI, 'path');
    icon.setAttribute('viewBox', '0 0 24 24');
    icon.setAttribute('fill', 'currentColor');
    path.setAttribute('d', BELL);
    icon.appendChild(path);
    [bell, all, more].forEach(function (button) { button.type = 'button'; });
    bell.append(icon, badge);
    head.append(make('span', '', texts.title), all);
    panel.append(head, list, note, more);
    panel.setAttribute('role', 'dialog');
    panel.setAttribute('aria-label', texts.title);
    host.hidden = panel.hidden = note.hidden = more.hidden = true;
    root.append(bell, panel);
    target.appendChild(host);

    function tell(number) {
      count = Math.max(number, 0);
      badge.hidden = all.hidden = !count;
      badge.textContent = count > 99 ? '99+' : String(count);
      bell.setAttribute('aria-label', texts.title + (count ? ' (' + count + ' ' + texts.unread + ')' : ''));
      bell.setAttribute('aria-expanded', String(!panel.hidden));
    }
    function say(text) { note.textContent = text || ''; note.hidden = !text; }

    function refresh() {
      if (inbox.ended()) return Promise.resolve();
      return inbox.call('GET', '/count').then(function (answer) {
        host.hidden = false;
        tell(answer.count);
      }).catch(warn);
    }

    /* By id: the list may have been read anew meanwhile. */
    function seen(id) {
      var one = shown[id];
      if (!one || !one.message.newMessage) return;
      one.message.newMessage = false;
      one.element.classList.remove('new');
      tell(count - 1);
    }
    function open(message) {
      if (!message.newMessage) return Promise.resolve();
      return inbox.call('POST', '/status', {status: 'OPENED', ids: [message.id]}).then(function () { seen(message.id); });
    }
    function chosen(event, message) {
      var told = new w.CustomEvent('perigee-inbox-open', {detail: message, bubbles: true, cancelable: true});
      var follow = target.dispatchEvent(told) && isLink(message.link);
      var opened = open(message).catch(warn);
      if (follow && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
      event.preventDefault();
      if (!follow) return;
      /* The page goes when the message is marked, or soon when no answer comes. */
      Promise.race([opened, new Promise(function (go) { w.setTimeout(go, FOLLOW_AFTER); })]).then(function () {
        w.location.assign(message.link);
      });
    }

    function entry(message) {
      var element = make(isLink(message.link) ? 'a' : 'div', 'message' + (message.newMessage ? ' new' : ''));
      if (isLink(message.link)) element.href = message.link;
      else { element.tabIndex = 0; element.setAttribute('role', 'button'); }
      if (isLink(message.image)) {
        var image = make('img');
        image.alt = '';
        image.loading = 'lazy';
        image.referrerPolicy = 'no-referrer';
        image.src = message.image;
        element.appendChild(image);
      }
      var body = make('div', 'body');
      body.append(
        make('div', 'title', message.title), styled(String(message.content || '')),
        make('div', 'time', new Date(message.createdDate).toLocaleString(d.documentElement.lang || undefined,
          {dateStyle: 'medium', timeStyle: 'short'}))
      );
      element.appendChild(body);
      element.addEventListener('click', function (event) { chosen(event, message); });
      element.addEventListener('keydown', function (event) {
        if (!element.href && (event.key === 'Enter' || event.key === ' ')) chosen(event, message);
      });
      return element;
    }
    /* A message that came meanwhile moves the others to later pages: what is there already is left out. */
    function load(page) {
      return inbox.call('GET', '?page=' + page + '&pageSize=' + PAGE).then(function (answer) {
        if (!page) { list.textContent = ''; shown = {}; }
        answer.list.forEach(function (message) {
          if (shown[message.id]) return;
          shown[message.id] = {message: message, element: entry(message)};
          list.appendChild(shown[message.id].element);
        });
        nextPage = page + 1;
        more.hidden = nextPage >= answer.totalPages;
        say(list.firstChild ? '' : texts.empty);
      }).catch(function (error) { warn(error); say(texts.error); });
    }

    function toggle(on) {
      panel.hidden = !on;
      bell.setAttribute('aria-expanded', String(on));
      if (!on) return;
      panel.classList.toggle('left', bell.getBoundingClientRect().left < w.innerWidth / 2);
      load(0).then(refresh);
    }
    function away(event) { if (!panel.hidden && event.composedPath().indexOf(host) < 0) toggle(false); }
    function escape(event) { if (event.key === 'Escape' && !panel.hidden) { toggle(false); bell.focus(); } }
    function visible() { if (d.visibilityState === 'visible') refresh(); }

    bell.addEventListener('click', function () { toggle(panel.hidden); });
    more.addEventListener('click', function () { load(nextPage); });
    all.addEventListener('click', function () {
      inbox.call('POST', '/status', {status: 'OPENED', ids: null}).then(function () {
        Object.keys(shown).forEach(seen);
        return refresh();
      }).catch(function (error) { warn(error); say(texts.error); });
    });
    d.addEventListener('click', away);
    d.addEventListener('keydown', escape);
    d.addEventListener('visibilitychange', visible);
    var every = options.every === undefined ? 60 : options.every;
    var timer = every > 0 ? w.setInterval(visible, every * 1000) : 0;

    var handle = {
      refresh: refresh,
      remove: function () {
        w.clearInterval(timer);
        d.removeEventListener('click', away);
        d.removeEventListener('keydown', escape);
        d.removeEventListener('visibilitychange', visible);
        host.remove();
        delete target._perigeeInbox;
      }
    };
    target._perigeeInbox = handle;
    tell(0);
    refresh();
    return handle;
  }

  w.PerigeeInbox = {init: init};
}
