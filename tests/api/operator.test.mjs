// Carterfone's own API under /carterfone/v1, as its operator.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, endpoint, eventually, lease, own, ready, refused, resourceUnder, signed } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString)
const tollFree = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const key = Buffer.from(connectionString.match(/accesskey=(.*)/)[1], 'base64')

/** What our own API refuses, as its error object. */
const no = (promise) => promise.then(() => assert.fail('it was not refused'), (e) => e)

test('a list refuses a query parameter that it does not have, and names the nearest', async () => {
  const lists = ['accounts', 'resources', 'smscs', 'trunks', 'eventSubscriptions', 'events', 'deadLetters', 'messages', 'calls', 'handsets', 'usage', 'invoice',
    'availability', 'price', 'plan', 'registrations', 'numbers/imports', 'numbers/pools', 'optouts', 'faults', 'snapshots', 'sipDomains']
  for (const list of lists) {
    const e = await no(own('GET', `${list}?colour=red`))
    assert.deepEqual([list, e.statusCode, e.error?.innererror?.code, e.error?.target], [list, 400, 'QueryUnknown', 'colour'])
  }
  assert.match((await no(own('GET', 'usage?monht=2026-11'))).error.message, /did you mean 'month'/)
})

test('the next page of a list asks what the first one asked', async () => {
  await lease(numbers, { areaCode: '844', sms: 'outbound' })
  const first = await own('GET', 'usage?kind=lease&by=number&limit=1')
  const second = await own('GET', first.nextLink.replace('/carterfone/v1/', ''))
  assert.deepEqual([first.value.length, second.value.length, second.by], [1, 1, 'number'])
  assert.match(second.nextLink ?? 'kind=lease', /kind=lease/)
  assert.notEqual(first.value[0].number, second.value[0].number)
  assert.equal((await no(own('GET', 'usage?after=x'))).error.target, 'after')
  assert.equal((await no(own('GET', 'calls?before=x'))).error.target, 'before')
})

test('explain tells a message\'s steps from the request to the receipt', async () => {
  const [sent] = await sms.send({ from: tollFree, to: ['+12065550110'], message: 'why?' }, { enableDeliveryReport: true })
  const story = await eventually('the receipt in the story', async () => {
    const found = await own('GET', `explain/${sent.messageId}`)
    return found.state === 'delivered' ? found : null
  })
  assert.deepEqual([...new Set(story.lines.map((l) => l.step))], ['request', 'sender', 'recipient', 'encoding', 'answer', 'smpp', 'receipt', 'state', 'report', 'event', 'match'])
  assert.match(story.lines.findLast((l) => l.step === 'smpp').text, /submit_sm_resp message_id \S+/)
  const times = story.lines.map((l) => l.time)
  assert.deepEqual(times, [...times].sort())
})

test('explain tells a refusal by the request id that was answered', async () => {
  const answer = await signed(key, 'POST', '/sms?api-version=2021-03-07', { from: '+18335550999', smsRecipients: [{ to: '+12065550110' }], message: 'x' })
  assert.equal(answer.status, 401)
  const id = answer.headers.get('x-ms-request-id')
  const story = await eventually('the refusal', () => own('GET', `explain/${id}`).catch(() => null))
  assert.equal(story.kind, 'refusal')
  assert.equal(story.lines.find((l) => l.step === 'rule').text, 'SenderNotLeased')
  assert.ok(story.lines.find((l) => l.step === 'do').text)
})

test('an unknown or forged id is not found', async () => {
  for (const id of ['7b6f2c1e-0000-4000-8000-000000000000', 'Outgoing_20260101000000x_noam', 'nonsense'])
    assert.equal((await no(own('GET', `explain/${id}`))).statusCode, 404)
})

test('an endpoint that does not prove itself is refused and forgotten', async (t) => {
  const deaf = createServer((request, response) => response.writeHead(500).end())
  await new Promise((listening) => deaf.listen(0, '127.0.0.1', listening))
  t.after(() => deaf.close())
  const before = (await own('GET', 'eventSubscriptions')).value.length
  const e = await no(own('POST', 'eventSubscriptions', { endpointUrl: `http://127.0.0.1:${deaf.address().port}/` }))
  assert.equal(e.statusCode, 400)
  assert.equal(e.error.code, 'EndpointValidationFailed')
  assert.ok(e.error.innererror.message)
  assert.equal((await no(own('POST', 'eventSubscriptions', { endpointUrl: 'http://127.0.0.1:1/' }))).statusCode, 400)
  assert.equal((await no(own('POST', 'eventSubscriptions', { endpointUrl: 'ftp://x/' }))).statusCode, 400)
  assert.equal((await own('GET', 'eventSubscriptions')).value.length, before)
})

test('an endpoint may prove itself later by the validation address', async (t) => {
  let validationUrl
  const manual = createServer((request, response) => {
    let text = ''
    request.on('data', (piece) => { text += piece })
    request.on('end', () => { validationUrl = JSON.parse(text)[0].data.validationUrl; response.writeHead(200).end() })
  })
  await new Promise((listening) => manual.listen(0, '127.0.0.1', listening))
  t.after(() => manual.close())
  const made = await own('POST', 'eventSubscriptions', { endpointUrl: `http://127.0.0.1:${manual.address().port}/` })
  assert.equal(made.state, 'awaitingValidation')
  const opened = await fetch(validationUrl)
  assert.equal(opened.status, 200)
  const now = (await own('GET', 'eventSubscriptions')).value.find((s) => s.id === made.id)
  assert.equal(now.state, 'active')
  await own('DELETE', `eventSubscriptions/${made.id}`)
  assert.equal((await fetch(validationUrl)).status, 404)
})

test('a resource\'s key ends its own event subscriptions and no other\'s', async (t) => {
  const stranger = Buffer.from((await resourceUnder('stranger', { offer: 'payg', billingCountry: 'US' })).match(/accesskey=(.*)/)[1], 'base64')
  const hook = await endpoint(t)
  const made = await own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/mine` })
  const end = (with_) => signed(with_, 'DELETE', `/carterfone/v1/eventSubscriptions/${made.id}`)
  assert.equal((await end(stranger)).status, 404)
  assert.ok((await own('GET', 'eventSubscriptions')).value.some((s) => s.id === made.id))
  assert.equal((await end(key)).status, 204)
  assert.ok(!(await own('GET', 'eventSubscriptions')).value.some((s) => s.id === made.id))
})

test('a carrier\'s name has no blanks, a subscription\'s no line ends', async (t) => {
  const smsc = { name: 'two words', host: '127.0.0.1:9', systemId: 'x', simulated: true }
  assert.equal((await no(own('POST', 'smscs', smsc))).error.target, 'name')
  const hook = await endpoint(t)
  assert.equal((await no(own('POST', 'eventSubscriptions', { endpointUrl: hook.url, name: 'a\r\nX-Evil: 1' }))).error.target, 'name')
})

test('events can be read back and waited for without an endpoint', async () => {
  const { last } = await own('GET', 'events')
  const waiting = own('GET', `events?after=${last}&wait=20&type=Microsoft.Communication.SMSReceived`)
  await own('POST', `handsets/${encodeURIComponent('+12065550111')}/:sms`, { to: tollFree, text: 'tail me' })
  const { value } = await waiting
  assert.equal(value[0].data.message, 'tail me')
  assert.equal(value[0].subject, `/phonenumber/${tollFree.slice(1)}`)
})

test('an endpoint that is away gets its events when it is back, in order, with their ids', async (t) => {
  const hook = await endpoint(t)
  let away = 1
  const flaky = createServer((request, response) => {
    let text = ''
    request.on('data', (piece) => { text += piece })
    request.on('end', async () => {
      const [event] = JSON.parse(text)
      if (event.eventType !== 'Microsoft.EventGrid.SubscriptionValidationEvent' && away-- > 0) return response.writeHead(503).end()
      const answer = await fetch(`${hook.url}/x`, { method: 'POST', body: text })
      response.writeHead(200, { 'content-type': 'application/json' }).end(await answer.text())
    })
  })
  await new Promise((listening) => flaky.listen(0, '127.0.0.1', listening))
  t.after(() => { flaky.closeAllConnections(); flaky.close() })
  const made = await own('POST', 'eventSubscriptions', { endpointUrl: `http://127.0.0.1:${flaky.address().port}/`, eventTypes: ['Microsoft.Communication.SMSReceived'] })
  for (const text of ['first', 'second']) await own('POST', `handsets/${encodeURIComponent('+12065550112')}/:sms`, { to: tollFree, text })
  await eventually('the first try', () => away <= 0)
  await own('POST', 'clock/:advance', { seconds: 15 })
  await hook.event('SMSReceived', (data) => data.message === 'second')
  assert.deepEqual(hook.events.map((e) => e.event.data.message), ['first', 'second'])
  assert.equal(new Set(hook.events.map((e) => e.event.id)).size, 2)
  await own('DELETE', `eventSubscriptions/${made.id}`)
})

test('the product clock moves only forward, and says what fired', async () => {
  const before = await own('GET', 'clock')
  const search = await (await numbers.beginSearchAvailablePhoneNumbers({ countryCode: 'US', phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'outbound' }, quantity: 1 })).pollUntilDone()
  const after = await own('POST', 'clock/:advance', { seconds: 16 * 60 })
  assert.ok(after.fired >= 1)
  assert.ok(Date.parse(after.productTime) - Date.parse(before.productTime) >= 16 * 60 * 1000)
  const late = await numbers.beginPurchasePhoneNumbers(search.searchId).then((p) => p.pollUntilDone()).then(() => null, (e) => e)
  assert.match(late?.message ?? '', /held until \d{4}-\d{2}-\d{2}T/)
  assert.equal((await no(own('POST', 'clock/:advance', { seconds: -1 }))).statusCode, 400)
})

test('accounts and resources have names of their own, and a rotated key ends', async () => {
  const other = await resourceUnder('second', { offer: 'payg', billingCountry: 'US' })
  assert.equal((await no(own('POST', 'accounts', { name: 'second', offer: 'payg', billingCountry: 'US' }))).statusCode, 409)
  assert.equal((await no(own('POST', 'accounts', { name: 'Bad Name' }))).error.target, 'name')
  assert.equal((await no(own('POST', 'accounts', { name: 'x', offer: 'lottery' }))).error.target, 'offer')
  const theirs = new SmsClient(other)
  await refused(() => theirs.send({ from: tollFree, to: ['+12065550110'], message: 'not mine' }), 401)
  await own('POST', 'resources/second-res/:rotateKey', { key: 'primary' })
  const gone = await theirs.send({ from: tollFree, to: ['+12065550110'], message: 'x' }).then(() => null, (e) => e)
  assert.equal(gone.statusCode, 401)
})

test('a resource\'s key sees its own things and may not do the operator\'s', async () => {
  const mine = await signed(key, 'GET', '/carterfone/v1/messages')
  assert.equal(mine.status, 200)
  const theirs = await signed(key, 'GET', '/carterfone/v1/accounts')
  assert.equal(theirs.status, 403)
  assert.equal((await theirs.json()).error.innererror.code, 'OperatorOnly')
})

test('carriers are listed; a bad one is refused with the field at fault', async () => {
  const status = await own('GET', 'status')
  assert.ok(status.carriers.some((c) => c.name === 'sim' && c.up))
  assert.equal((await no(own('POST', 'smscs', { name: 'a', host: 'nowhere' }))).error.target, 'host')
  assert.equal((await no(own('POST', 'smscs', { name: 'a', host: '192.0.2.1:2775', systemId: 'x', simulated: true }))).error.target, 'simulated')
  assert.equal((await no(own('POST', 'smscs', { name: 'sim', host: '127.0.0.1:2775', systemId: 'x', simulated: true }))).statusCode, 409)
  assert.equal((await no(own('POST', 'trunks', { name: 't', host: '127.0.0.1:5060', transport: 'pigeon', simulated: true }))).error.target, 'transport')
})

test('every route of the table is told, and an unbuilt one answers 501', async () => {
  const { value } = await own('GET', 'routes')
  assert.ok(value.length > 60)
  const unbuilt = value.find((r) => r.operation === 'Rooms_List')
  assert.equal(unbuilt.state, 'not yet')
  assert.equal((await signed(key, 'GET', '/rooms?api-version=2025-03-13')).status, 501)
  assert.ok(ready.api)
})

test('which carriers there are is told to the operator alone', async () => {
  assert.ok((await own('GET', 'status')).carriers.some((c) => c.name === 'sim'))
  const seen = await (await signed(key, 'GET', '/carterfone/v1/status')).json()
  assert.ok(seen.productTime)
  assert.equal(seen.carriers, undefined)
})
