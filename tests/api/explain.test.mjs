// One time line from the API's request to the webhook's try, whichever id is asked for.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { CallAutomationClient } from '@azure/communication-call-automation'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, endpoint, eventually, key, lease, operatorSigned, own, randomUUID, resourceUnder, signed } from './harness.mjs'
import { ended, startServer, stopServer } from './server.mjs'

const numbers = new PhoneNumbersClient(connectionString), calling = new CallAutomationClient(connectionString)
const free = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const local = await lease(numbers, { type: 'geographic', areaCode: '206', calling: 'inbound+outbound' })
const handset = (number, verb, body = {}) => own('POST', `handsets/${encodeURIComponent(number)}/:${verb}`, body)
const explained = (id) => own('GET', `explain/${encodeURIComponent(id)}`)
const text = (to, from = free) => signed(key, 'POST', '/sms?api-version=2026-01-23',
  { from, smsRecipients: [].concat(to).map((number) => ({ to: number })), message: 'a secret', smsSendOptions: { enableDeliveryReport: true } })

/** Asked for again until it tells all of these, in this order. A want is [of, step, what its text says]. */
const story = (id, wants) => eventually(`the story of ${id}`, async () => {
  const told = await explained(id).catch(() => null)
  let at = -1
  return told && wants.every(([of, step, words]) => {
    at = told.lines.findIndex((l, i) => i > at && l.of === of && l.step === step && words.test(l.text))
    return at >= 0
  }) && told
}).catch(async (e) => { throw new Error(`${e.message}: ${JSON.stringify((await explained(id).catch((x) => x.message)), null, 1)}`) })

/** The same lines, whichever of the things that belong to it is asked for; in order, counted from the first. */
async function isOneStory(told, kinds) {
  assert.deepEqual([...new Set(told.things.map((thing) => thing.kind))].sort(), kinds.sort())
  assert.equal(told.lines[0].offsetMs, 0)
  for (const [i, line] of told.lines.entries()) if (i) assert.ok(line.offsetMs >= told.lines[i - 1].offsetMs, JSON.stringify(told.lines))
  for (const { kind, id } of told.things) {
    const other = await explained(id)
    assert.deepEqual(other.lines.map((l) => l.text).sort(), told.lines.map((l) => l.text).sort(), `${kind} ${id}`)
  }
}
const subscribe = (hook, name, ...eventTypes) => own('POST', 'eventSubscriptions', { name, endpointUrl: hook.url, eventTypes })

test('an SMS: request, decision, submit_sm, its answer, the receipt, the event, the webhook', async (t) => {
  const hook = await endpoint(t)
  const { id: subscription } = await subscribe(hook, 'reports', 'Microsoft.Communication.SMSDeliveryReportReceived')
  const answer = await text('+12065550110')
  const message = (await answer.json()).value[0].messageId, request = answer.headers.get('x-ms-request-id')
  const told = await story(request, [['message', 'request', /^Sms_Send by default$/], ['message', 'sender', /leased/], ['message', 'answer', /HTTP 202/],
    ['message', 'smpp', /^submit_sm to sim$/], ['message', 'smpp', /submit_sm_resp message_id \S+/], ['message', 'receipt', /stat:DELIVRD err:000/],
    ['message', 'state', /^delivered$/], ['event', 'event', /SMSDeliveryReportReceived/], ['event', 'try', /^subscription reports: HTTP 200 after [\d.]+ ms \(try 1/]])
  assert.equal(told.kind, 'request')
  assert.deepEqual((await explained(message)).decision, { outcome: 'delivered', route: 'sim' })
  assert.ok(!JSON.stringify(told).includes('secret'))
  await isOneStory(told, ['request', 'message', 'event'])
  await own('DELETE', `eventSubscriptions/${subscription}`)
})

test('many recipients in one request: each message, and who was refused', async () => {
  const answer = await text(['+12065550110', '12', '+12065550112', '+12065550113'])
  const request = answer.headers.get('x-ms-request-id'), { value } = await answer.json()
  const told = await story(request, [['request', 'request', /Sms_Send by default/], ['request', 'refused', /^1 of 4 recipients was refused: 12: Invalid To/], ['request', 'rule', /^SmsDestinationInvalid$/], ['request', 'do', /country code/], ['message', 'state', /delivered/]])
  const messages = value.filter((r) => r.messageId).map((r) => r.messageId)
  assert.deepEqual(told.things.filter((thing) => thing.kind === 'message').map((thing) => thing.id).sort(), messages.sort())
  assert.ok((await explained(messages[2])).things.some((thing) => thing.kind === 'request' && thing.id === request))
})

test('a refused SMS: the rule and what to do, under the request id alone', async () => {
  const answer = await text('+12065550110', local)
  assert.equal(answer.status, 400)
  const told = await story(answer.headers.get('x-ms-request-id'), [['request', 'request', /Sms_Send/], ['request', 'refused', /SMS/], ['request', 'answer', /HTTP 400/]])
  assert.equal(told.kind, 'refusal')
  assert.equal(told.decision.rule, 'SmsNotAvailableForNumberType')
  assert.ok(told.decision.next)
})

test('a message that fails says why and what to do', async () => {
  const message = (await (await text('+12065550164')).json()).value[0].messageId
  const told = await story(message, [['message', 'state', /^failed$/]])
  assert.equal(told.decision.outcome, 'failed')
  assert.ok(told.decision.why && told.decision.next, JSON.stringify(told.decision))
})

test('an inbound SMS: deliver_sm, the event, the webhook', async (t) => {
  const hook = await endpoint(t)
  await subscribe(hook, 'inbox', 'Microsoft.Communication.SMSReceived')
  await handset('+12065550120', 'sms', { to: free, text: 'hello back' })
  const message = (await hook.event('SMSReceived')).event.data.messageId
  const told = await story(message, [['message', 'smpp', /deliver_sm from sim/], ['message', 'number', /leased/], ['event', 'event', /SMSReceived/],
    ['event', 'try', /subscription inbox: HTTP 200/]])
  assert.ok(!JSON.stringify(told).includes('hello back'))
  await isOneStory(told, ['message', 'event'])
})

test('an outbound call: request, rules, SIP, callbacks with their tries, media, the end', async (t) => {
  const hook = await endpoint(t)
  const made = await calling.createCall({ targetParticipant: { phoneNumber: '+12065550110' }, sourceCallIdNumber: { phoneNumber: local } }, `${hook.url}/callback`)
  const id = made.callConnectionProperties.callConnectionId
  await hook.event('CallConnected')
  await made.callConnection.hangUp(true)
  await hook.event('CallDisconnected')
  const told = await story(id, [['request', 'request', /CreateCall by default/], ['call', 'rule', /leased/], ['call', 'route', /trunk sim/], ['call', 'sip', /INVITE/],
    ['call', 'sip', /180/], ['call', 'sip', /answered/], ['call', 'event', /CallConnected/], ['call', 'try', /callback: HTTP 200 after/],
    ['call', 'sip', /BYE/], ['call', 'end', /7000/], ['call', 'try', /callback: HTTP 200 after/]])
  assert.equal(told.lines.filter((l) => l.of === 'request' && l.step === 'request').length, 2, 'to make it, to end it')
  assert.equal(told.decision.route, 'sim')
  assert.match(told.decision.limit, /1 of 2 outbound calls/)
  const { event } = await hook.event('CallConnected'), { serverCallId, correlationId } = event.data
  for (const other of [serverCallId, correlationId]) assert.equal((await explained(other)).callConnectionId, id)
  assert.ok((await explained(event.id)).things.some((thing) => thing.kind === 'call' && thing.id === id), 'a callback leads to its call')
})

test('an inbound call: INVITE, IncomingCall and its webhook, the answer', async (t) => {
  const hook = await endpoint(t), from = '+12065550121'
  await subscribe(hook, 'ringing', 'Microsoft.Communication.IncomingCall')
  await handset(from, 'attach')
  await handset(from, 'dial', { to: local })
  const incoming = (await hook.event('IncomingCall')).event
  const answered = await calling.answerCall(incoming.data.incomingCallContext, `${hook.url}/callback`)
  await hook.event('CallConnected')
  await handset(from, 'hangup')
  await hook.event('CallDisconnected')
  const told = await story(answered.callConnectionProperties.callConnectionId, [['call', 'sip', /INVITE from trunk/], ['event', 'event', /IncomingCall/],
    ['event', 'try', /subscription ringing: HTTP 200/], ['call', 'api', /answers/], ['call', 'event', /CallConnected/], ['call', 'end', /./]])
  assert.ok((await explained(incoming.id)).lines.some((l) => /INVITE from trunk/.test(l.text)), 'the event leads to its call')
  assert.equal(told.kind, 'call')
})

test('a number: searched, bought, changed, by each of its ids', async () => {
  const search = await numbers.beginSearchAvailablePhoneNumbers({ countryCode: 'US', phoneNumberType: 'tollFree', assignmentType: 'application',
    capabilities: { calling: 'none', sms: 'outbound' }, quantity: 1 }).then((poller) => poller.pollUntilDone())
  const bought = await signed(key, 'POST', '/availablePhoneNumbers/:purchase?api-version=2025-06-01', { searchId: search.searchId })
  assert.equal(bought.status, 202)
  const operation = bought.headers.get('operation-location').match(/operations\/([^?]+)/)[1]
  const wants = [['request', 'request', /Search/], ['search', 'held', /until/], ['request', 'request', /Purchase/], ['operation', 'operation', /purchase succeeded/]]
  for (const id of [operation, search.searchId, bought.headers.get('x-ms-request-id')]) await story(id, wants)
  const told = await story(search.phoneNumbers[0], [...wants.slice(0, 3), ['number', 'lease', /to default/]])
  assert.equal(told.state, 'leased')
})

test('a reservation is explained by the id its client chose', async () => {
  const id = randomUUID()
  const offered = await signed(key, 'POST', '/availablePhoneNumbers/countries/US/:browse?api-version=2025-06-01', { phoneNumberType: 'tollFree' })
  const { phoneNumbers: [number] } = await offered.json()
  const made = await signed(key, 'PATCH', `/availablePhoneNumbers/reservations/${id}?api-version=2025-06-01`, { phoneNumbers: { [number.id]: number } })
  assert.ok([200, 201, 207].includes(made.status), await made.text())
  const told = await story(id, [['request', 'request', /Reservation/], ['reservation', 'reservation', /^active/]])
  assert.equal(told.kind, 'reservation')
})

test('a resource sees its own and no other\'s', async () => {
  const other = Buffer.from((await resourceUnder('elsewhere', { offer: 'payg', billingCountry: 'US' })).match(/accesskey=(.*)/)[1], 'base64')
  const answer = await text('+12065550110')
  const message = (await answer.json()).value[0].messageId
  const ask = (who, id) => signed(who, 'GET', `/carterfone/v1/explain/${encodeURIComponent(id)}`)
  await story(message, [['event', 'event', /./]])
  assert.equal((await ask(key, message)).status, 200)
  for (const id of [message, answer.headers.get('x-ms-request-id'), free]) assert.equal((await ask(other, id)).status, 404, id)
})

test('what is no id of ours says which there are', async () => {
  const answer = await operatorSigned('GET', '/carterfone/v1/explain/nonsense')
  assert.equal(answer.status, 404)
  const { error } = await answer.json()
  assert.match(error.message, /x-ms-request-id.*callConnectionId.*phone number/)
  const never = await operatorSigned('GET', `/carterfone/v1/explain/${randomUUID()}`)
  assert.match((await never.json()).error.message, /never was/)
})

test('times of a clock that was moved are told by both clocks', async () => {
  const before = (await (await text('+12065550110')).json()).value[0].messageId
  await story(before, [['message', 'state', /delivered/]])
  await own('POST', 'clock/:advance', { seconds: 86400 })
  const after = (await (await text('+12065550110')).json()).value[0].messageId
  const told = await story(after, [['message', 'state', /delivered/]])
  const line = told.lines[0]
  assert.ok(Math.abs(Date.parse(line.time) - Date.parse(line.wallTime) - 86400000) < 60000, JSON.stringify(line))
})

test('kill -9 keeps what was answered', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carterfone-explain-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const cli = async (...args) => (await promisify(execFile)(process.env.CARTERFONE, [...args, '--data', join(folder, 'data')])).stdout
  const running = []
  const begin = async () => { const { server } = await startServer(process.env.CARTERFONE, folder); running.push(server); return server }
  t.after(() => { for (const server of running) server.kill('SIGKILL') })
  const first = await begin()
  const from = (await cli('numbers', 'buy', '--type', 'toll-free', '--for', 'application')).match(/\+\d+/)[0]
  const send = async (words) => JSON.parse(await cli('sms', 'send', '--from', from, '--to', '+12065550110', words, '--json')).value[0].messageId
  const whole = await send('long before the end')
  const told = await eventually('its end', async () => {
    const found = JSON.parse(await cli('explain', whole, '--json'))
    return found.state === 'delivered' && found.things.length === 3 && found
  })
  const last = await send('just before the end')
  first.kill('SIGKILL')
  await ended(first)
  rmSync(join(folder, 'ready.json'))
  const second = await begin()
  assert.deepEqual(JSON.parse(await cli('explain', whole, '--json')), told)
  const cut = JSON.parse(await cli('explain', last, '--json'))
  assert.equal(cut.lines[0].text, 'Sms_Send by default')
  assert.ok(cut.things.some((thing) => thing.kind === 'request'))
  assert.match(await cli('sms', 'explain', whole), /submit_sm_resp/)
  assert.match(await cli('explain', from), /purchase succeeded/)
  await stopServer(second)
})
