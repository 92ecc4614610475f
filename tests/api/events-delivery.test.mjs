// How events are delivered: batches, a poison event among them, dead letters and replay, signatures, the log of tries, following.
// serve: --clock virtual
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import test from 'node:test'
import { promisify } from 'node:util'
import { EventGridDeserializer } from '@azure/eventgrid'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, eventually, key, lease, own, signed } from './harness.mjs'

const number = await lease(new PhoneNumbersClient(connectionString), { sms: 'inbound+outbound' })
const handset = '+12065550121'
const text = (words) => own('POST', `handsets/${encodeURIComponent(handset)}/:sms`, { to: number, text: words })
const advance = (seconds) => own('POST', 'clock/:advance', { seconds })

/** An endpoint that answers what `status` says for a POST of events, and keeps the bodies as they came. */
async function hook(t, status = () => 200) {
  const posts = []
  const server = createServer((request, response) => {
    if (request.method === 'OPTIONS') return response.writeHead(200, { 'WebHook-Allowed-Origin': '*' }).end()
    let body = ''
    request.on('data', (piece) => { body += piece })
    request.on('end', async () => {
      const events = [].concat(JSON.parse(body))
      if (events[0].data.validationCode) return response.writeHead(200).end(JSON.stringify({ validationResponse: events[0].data.validationCode }))
      const post = { events, body, headers: request.headers, messages: events.map((e) => e.data.message) }
      posts.push(post)
      post.status = await status(post)
      response.writeHead(post.status).end(post.status === 200 ? '' : 'no, not\nthis one')
    })
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => { server.closeAllConnections(); server.close() })
  const good = () => posts.filter((p) => p.status === 200).flatMap((p) => p.messages)
  return { url: `http://127.0.0.1:${server.address().port}/`, posts, good }
}
async function subscribe(t, more) {
  const made = await own('POST', 'eventSubscriptions', { eventTypes: ['Microsoft.Communication.SMSReceived'], ...more })
  t.after(() => own('DELETE', `eventSubscriptions/${made.id}`))
  return made
}
const kept = async () => (await own('GET', 'events?after=all')).value
const idOf = async (words) => (await eventually(words, async () => (await kept()).find((e) => e.data.message === words))).id

for (const schema of ['eventgrid', 'cloudevents']) {
  test(`what waits goes together, up to the subscription's batch, in order (${schema})`, async (t) => {
    let open
    const first = new Promise((go) => { open = go })
    const h = await hook(t, async (post) => { if (post === h.posts[0]) await first; return 200 })
    const s = await subscribe(t, { endpointUrl: h.url, schema, batch: 10 })
    assert.equal(s.batch, 10)
    const words = Array.from({ length: 24 }, (_, i) => `${schema} ${i}`)
    for (const w of words) await text(w)
    await eventually('all wait', async () => (await own('GET', `eventSubscriptions/${s.id}`)).waiting === words.length)
    open()
    await eventually('all of them', () => h.good().length === words.length)
    assert.deepEqual(h.good(), words)
    assert.deepEqual(h.posts.map((p) => p.events.length), [1, 10, 10, 3])
    assert.equal(h.posts[1].headers['content-type'], schema === 'cloudevents' ? 'application/cloudevents-batch+json; charset=utf-8' : 'application/json; charset=utf-8')
    const reader = new EventGridDeserializer()
    const read = await (schema === 'cloudevents' ? reader.deserializeCloudEvents(h.posts[1].body) : reader.deserializeEventGridEvents(h.posts[1].body))
    assert.deepEqual(read.map((e) => e.data.message), words.slice(1, 11))
  })
}

test('a poison event costs its batch one try and then itself alone; it is shown, dead, and sent again by hand', async (t) => {
  let open, cured = false
  const first = new Promise((go) => { open = go })
  const h = await hook(t, async (post) => {
    if (post === h.posts[0]) await first
    return !cured && post.messages.includes('poison 3') ? 500 : 200
  })
  const s = await subscribe(t, { endpointUrl: h.url, batch: 100 })
  for (let i = 0; i < 6; i++) await text(`poison ${i}`)
  await eventually('all wait', async () => (await own('GET', `eventSubscriptions/${s.id}`)).waiting === 6)
  open()
  await eventually('the batch failed', () => h.posts[1]?.status === 500)
  assert.equal(h.posts[1].events.length, 5)
  const id = await idOf('poison 3')
  await eventually('the batch is logged', async () => (await own('GET', `events/${id}`)).tries.length === 1)
  await advance(12)
  await eventually('the others', () => h.good().length === 5)
  assert.deepEqual(h.good(), [0, 1, 2, 4, 5].map((i) => `poison ${i}`))
  assert.ok(h.posts.slice(2).every((p) => p.events.length === 1))
  for (let day = 0; day < 4; day++) {
    const tries = h.posts.length
    await advance(13 * 3600)
    await eventually('another try, or dead', async () => h.posts.length > tries || (await own('GET', `deadLetters?subscription=${s.id}`)).value.length)
    await eventually('logged', async () => (await own('GET', `events/${id}`)).tries.length === h.posts.filter((p) => p.messages.includes('poison 3')).length)
  }
  const [letter] = (await own('GET', `deadLetters?subscription=${s.id}`)).value
  assert.deepEqual([letter.eventId, letter.deadLetterReason, letter.lastDeliveryOutcome], [id, 'TimeToLiveExceeded', 'HTTP 500: no, notthis one'])
  const shown = await own('GET', `events/${id}`)
  assert.equal(shown.deliveries[0].state, 'dead')
  assert.deepEqual([shown.tries[0].attempt, shown.tries[0].httpStatus, shown.tries[0].eventsInRequest, shown.tries[1].eventsInRequest], [1, 500, 5, 1])
  cured = true
  assert.deepEqual(await own('POST', 'events/:replay', { subscription: s.id, dead: true }), { deliveries: 1 })
  await eventually('it came', () => h.good().includes('poison 3'))
  assert.equal(h.posts.at(-1).events[0].id, id)
  await eventually('no dead letter', async () => (await own('GET', `deadLetters?subscription=${s.id}`)).value.length === 0)
})

test('events of a time, and one event, are sent again with their ids', async (t) => {
  const h = await hook(t)
  const before = (await own('GET', 'status')).productTime
  for (const w of ['again 1', 'again 2']) await text(w)
  const id = await idOf('again 2')
  await advance(1)
  const after = (await own('GET', 'status')).productTime
  const s = await subscribe(t, { endpointUrl: h.url, filter: { subjectEndsWith: number.slice(-7) } })
  const asked = (body) => promisify(execFile)(process.env.CARTERFONE, ['events', 'replay', '--data', process.env.CARTERFONE_DATA, '--json', ...body])
  assert.deepEqual(JSON.parse((await asked(['--subscription', s.id, '--since', before, '--until', after])).stdout), { deliveries: 2 })
  await eventually('both', () => h.good().length === 2)
  assert.deepEqual(h.good(), ['again 1', 'again 2'])
  assert.equal(h.posts[1].events[0].id, id)
  await eventually('both are over', async () => (await own('GET', `eventSubscriptions/${s.id}`)).waiting === 0)
  assert.deepEqual(JSON.parse((await asked([id])).stdout), { deliveries: 1 })
  await eventually('the one', () => h.good().length === 3)
  assert.equal(h.posts[2].events[0].id, id)
  await assert.rejects(asked(['Incoming_20201201-none']), (e) => e.code === 1)
})

test('a delivery is signed as docs/events.md shows, carries the bearer and the headers, and none of the secrets is shown again', async (t) => {
  const h = await hook(t)
  const made = await subscribe(t, { endpointUrl: h.url, batch: 5, hmacKey: 'new', bearerToken: 'let-me-in', deliveryHeaders: { 'X-Tenant': 'shops' } })
  assert.match(made.hmacKey, /^whsec_/)
  await text('signed')
  await eventually('it came', () => h.good().length === 1)
  const [code] = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8').match(/(?<=```js\n)[^]*?(?=```)/)
  const verify = new Function('crypto', `${code}\nreturn verify`)(await import('node:crypto'))
  const [{ headers, body }] = h.posts
  assert.equal(verify(made.hmacKey, headers, body), true)
  assert.equal(verify(made.hmacKey, headers, `${body} `), false)
  assert.equal(verify(made.hmacKey, { ...headers, 'webhook-timestamp': '1600000000' }, body), false)
  assert.equal(headers.authorization, 'Bearer let-me-in')
  assert.equal(headers['x-tenant'], 'shops')
  const everything = JSON.stringify([await own('GET', 'eventSubscriptions'), await own('GET', `eventSubscriptions/${made.id}`), await own('PATCH', `eventSubscriptions/${made.id}`, { batch: 7 })])
  for (const secret of [made.hmacKey, 'let-me-in', 'shops']) assert.ok(!everything.includes(secret))
  assert.ok(!readFileSync(`${process.env.CARTERFONE_TMP}/server.log`, 'utf8').match(/let-me-in|whsec_/))
  const changed = await own('PATCH', `eventSubscriptions/${made.id}`, { bearerToken: '', hmacKey: '', deliveryHeaders: {}, name: 'plain' })
  assert.deepEqual([changed.bearer, changed.signed, changed.deliveryHeaders, changed.batch, changed.name], [false, false, [], 7, 'plain'])
  await text('plain')
  await eventually('it came', () => h.good().length === 2)
  assert.equal(h.posts[1].headers['webhook-signature'], undefined)
  assert.equal(h.posts[1].headers.authorization, undefined)
})

test('redirects are not followed', async (t) => {
  const other = await hook(t)
  const h = await hook(t)
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece) => { body += piece })
    request.on('end', () => {
      const code = JSON.parse(body)[0].data.validationCode
      if (code) response.writeHead(200).end(JSON.stringify({ validationResponse: code }))
      else response.writeHead(307, { location: other.url }).end()
    })
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => { server.closeAllConnections(); server.close() })
  await subscribe(t, { endpointUrl: `http://127.0.0.1:${server.address().port}/` })
  await subscribe(t, { endpointUrl: h.url })
  await text('moved')
  await eventually('elsewhere', () => h.good().includes('moved'))
  const id = await idOf('moved')
  await eventually('the refusal is logged', async () => (await own('GET', `events/${id}`)).tries.some((x) => x.httpStatus === 307))
  assert.deepEqual(other.posts, [])
})

test('server-sent events: by a filter, from behind an event, with either key', async () => {
  for (const w of ['tail 1', 'tail 2', 'tail 3']) await text(w)
  const id = await idOf('tail 1')
  await idOf('tail 3')
  const filter = encodeURIComponent(JSON.stringify({ advancedFilters: [{ operatorType: 'StringIn', key: 'data.message', values: ['tail 1', 'tail 3'] }] }))
  const operator = Buffer.from(readFileSync(`${process.env.CARTERFONE_DATA}/operator.key`, 'utf8').trim(), 'base64')
  for (const who of [operator, key]) {
    const follow = (after) => signed(who, 'GET', `/carterfone/v1/events?filter=${filter}&wait=0`, undefined, { accept: 'text/event-stream', 'last-event-id': after })
    const frames = async (answer) => (await answer.text()).trim().split('\n\n').map((frame) => Object.fromEntries(frame.split('\n').map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 2)])))
    const answer = await follow(id)
    assert.equal(answer.headers.get('content-type'), 'text/event-stream')
    const [retry, event, last] = await frames(answer)
    assert.ok(Number(retry.retry) > 0)
    assert.equal(event.event, 'Microsoft.Communication.SMSReceived')
    assert.equal(JSON.parse(event.data).data.message, 'tail 3')
    assert.equal((await frames(await follow(event.id))).length, 2)      // behind it there is nothing that fits
    assert.equal((await frames(await follow(last.id))).length, 2)
  }
  const { stdout } = await promisify(execFile)(process.env.CARTERFONE, ['events', 'tail', '--data', process.env.CARTERFONE_DATA, '--json', '--after', id, '--count', '1', '--wait', '10', '--where', 'data.message=tail 3'])
  assert.equal(JSON.parse(stdout).data.message, 'tail 3')
})
