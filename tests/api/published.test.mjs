// Every event this server raises, as the published schema has it: read by the official Event Grid deserialiser and by a CloudEvents
// library, field by field. And which events of the published list it raises, and which not.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import test from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { EventGridDeserializer, isSystemEvent } from '@azure/eventgrid'
import { CallAutomationClient } from '@azure/communication-call-automation'
import { SmsClient } from '@azure/communication-sms'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { CloudEvent, HTTP } from 'cloudevents'
import { connectionString, endpoint, eventually, lease, own, refused } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString)
const number = await lease(numbers, { sms: 'inbound+outbound', calling: 'inbound+outbound' })
const handset = '+12065550121', headers = { 'User-To-User': '00616263;encoding=hex', 'X-MS-Custom-Ticket': 'Nr. 7: "ä"' }
const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const resource = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Communication\/communicationServices\/[^/]+$/i

// what a field must be
const text = (v) => typeof v === 'string' && v.length > 0
const anyText = (v) => typeof v === 'string'
const time = (v) => text(v) && Math.abs(Date.now() - new Date(v)) < 600000 && /(Z|[+-]\d\d:\d\d)$/.test(v)
const count = (v) => Number.isInteger(v) && v >= 0
const phone = (v) => v.kind === 'phoneNumber' && v.rawId === `4:${v.phoneNumber.value}` && /^\+\d+$/.test(v.phoneNumber.value)

/* The published fields (Microsoft.Communication, 2018-01-01, and segmentCount of the newer SDK). `absent`: published, not sent here. */
const events = {
  SMSReceived: {
    raise: async () => { await own('POST', `handsets/${encodeURIComponent(handset)}/:sms`, { to: number, text: 'Grüße' }) },
    subject: () => `/phonenumber/${number.slice(1)}`,
    data: { messageId: text, from: (v) => v === handset, to: (v) => v === number, message: (v) => v === 'Grüße', receivedTimestamp: time, segmentCount: (v) => v === 1 },
    absent: [],
  },
  SMSDeliveryReportReceived: {
    raise: async () => {
      const [r] = await sms.send({ from: number, to: [handset], message: 'hello' }, { enableDeliveryReport: true, tag: 'a tag' })
      return (data) => assert.equal(data.messageId, r.messageId)
    },
    subject: () => `/phonenumber/${number.slice(1)}`,
    data: { messageId: text, from: (v) => v === number, to: (v) => v === handset, deliveryStatus: (v) => v === 'Delivered', deliveryStatusDetails: anyText,
      deliveryAttempts: (v) => v.length === 1 && time(v[0].timestamp) && v[0].segmentsSucceeded === 1 && v[0].segmentsFailed === 0 && Object.keys(v[0]).length === 3,
      receivedTimestamp: time, tag: (v) => v === 'a tag' },
    absent: [],
  },
  IncomingCall: {
    raise: async () => {
      await own('POST', `handsets/${encodeURIComponent(handset)}/:dial`, { to: number, headers })
      return async (data) => { await new CallAutomationClient(connectionString).rejectCall(data.incomingCallContext).catch(() => {}) }
    },
    subject: () => `/caller/4:${handset}/recipient/4:${number}`,
    data: { to: (v) => phone(v) && v.phoneNumber.value === number, from: (v) => phone(v) && v.phoneNumber.value === handset, serverCallId: text,
      callerDisplayName: anyText, incomingCallContext: text,
      customContext: (v) => isDeepStrictEqual(v, { sipHeaders: headers, voipHeaders: {} }), correlationId: (v) => guid.test(v) },
    absent: ['onBehalfOfCallee'],
  },
}

function checkData(type, data) {
  const { data: fields } = events[type]
  assert.deepEqual(Object.keys(data).sort(), Object.keys(fields).sort(), `${type}: fields`)
  for (const [name, good] of Object.entries(fields)) assert.ok(good(data[name]), `${type}: ${name} is ${JSON.stringify(data[name])}`)
}

for (const [type, { raise, subject }] of Object.entries(events)) {
  test(`${type} has the published fields, in the Event Grid schema and as a CloudEvent`, async (t) => {
    const [grid, cloud] = [await endpoint(t), await endpoint(t)]
    const eventTypes = [`Microsoft.Communication.${type}`]
    await own('POST', 'eventSubscriptions', { endpointUrl: grid.url, eventTypes })
    await own('POST', 'eventSubscriptions', { endpointUrl: cloud.url, eventTypes, schema: 'cloudevents' })
    const more = await raise()
    const asGrid = await grid.event(type), asCloud = await cloud.event(type)

    const [e] = await new EventGridDeserializer().deserializeEventGridEvents(JSON.stringify(asGrid.batch))
    assert.deepEqual(Object.keys(asGrid.event).sort(), ['data', 'dataVersion', 'eventTime', 'eventType', 'id', 'metadataVersion', 'subject', 'topic'])
    assert.ok(isSystemEvent(`Microsoft.Communication.${type}`, e))
    assert.deepEqual([e.eventType, e.subject, e.dataVersion], [`Microsoft.Communication.${type}`, subject(), '1.0'])
    assert.equal(asGrid.event.metadataVersion, '1')
    assert.match(asGrid.event.topic, resource)
    assert.ok(e.eventTime instanceof Date && time(asGrid.event.eventTime))
    assert.ok(text(e.id))
    assert.match(asGrid.headers['content-type'], /^application\/json/)
    assert.equal(asGrid.headers['aeg-event-type'], 'Notification')
    checkData(type, e.data)

    const c = HTTP.toEvent({ headers: asCloud.headers, body: JSON.stringify(asCloud.batch) })
    assert.ok(c.validate())
    assert.deepEqual([c.specversion, c.type, c.subject, c.datacontenttype, c.id], ['1.0', `Microsoft.Communication.${type}`, subject(), 'application/json', e.id])
    assert.match(c.source, resource)
    assert.ok(time(c.time))
    assert.deepEqual(c.data, asGrid.event.data)
    const [again] = await new EventGridDeserializer().deserializeCloudEvents(JSON.stringify(asCloud.batch))
    checkData(type, again.data)
    await more?.(e.data)
  })
}

test('the callbacks of a call are CloudEvents, one in each request', async (t) => {
  const hook = await endpoint(t)
  const made = await new CallAutomationClient(connectionString).createCall(
    { targetParticipant: { phoneNumber: '+12065550122' }, sourceCallIdNumber: { phoneNumber: number } }, `${hook.url}/callback`)
  await hook.event('CallConnected')
  await made.callConnection.hangUp(true)
  await hook.event('CallDisconnected')
  for (const { batch } of hook.events) {
    assert.equal(batch.length, 1)
    const c = new CloudEvent(batch[0])              // throws on what is no CloudEvent 1.0
    assert.ok(c.validate())
    assert.match(c.source, /^calling\/callConnections\//)
    assert.equal(c.data.publicEventType, c.type)
  }
  assert.equal(new Set(hook.events.map(({ event }) => event.id)).size, hook.events.length)
})

test('events that the product cannot raise are refused when subscribed to, by name', async (t) => {
  const hook = await endpoint(t)
  const never = ['CallStarted', 'CallEnded', 'CallParticipantAdded', 'CallParticipantRemoved', 'RecordingFileStatusUpdated', 'UserDisconnected', 'ChatMessageReceived',
    'EmailDeliveryReportReceived', 'RouterJobReceived', 'AdvancedMessageReceived']
  for (const type of never) {
    const error = await refused(() => own('POST', 'eventSubscriptions', { endpointUrl: hook.url, eventTypes: [`Microsoft.Communication.${type}`] }), 400)
    assert.equal(error.innererror.code, 'EventTypeUnknown')
  }
  for (const type of Object.keys(events))
    await own('POST', 'eventSubscriptions', { endpointUrl: hook.url, eventTypes: [`Microsoft.Communication.${type}`] })
  assert.equal(hook.handshakes.length, Object.keys(events).length)
})

test('the handshake of CloudEvents: OPTIONS with our origin, which the answer must allow', async (t) => {
  const asked = []
  let allowed
  const server = createServer((request, response) => {
    asked.push({ method: request.method, headers: request.headers })
    response.writeHead(200, allowed === undefined ? {} : { 'WebHook-Allowed-Origin': allowed, 'WebHook-Allowed-Rate': '120' }).end()
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => server.close())
  const subscribe = () => own('POST', 'eventSubscriptions', { endpointUrl: `http://127.0.0.1:${server.address().port}/hook`, schema: 'cloudevents' })
  for (allowed of [undefined, 'somebody.else'])
    assert.equal((await refused(subscribe, 400)).code, 'EndpointValidationFailed')
  const origin = asked[0].headers['webhook-request-origin']
  assert.ok(text(origin))
  for (allowed of ['*', origin]) assert.equal((await subscribe()).state, 'active')
  assert.deepEqual(asked.map(({ method }) => method), ['OPTIONS', 'OPTIONS', 'OPTIONS', 'OPTIONS'])
})

test('the handshake of Event Grid: its event comes alone, and a wrong code is none', async (t) => {
  let answer
  const heard = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece) => { body += piece })
    request.on('end', () => {
      heard.push({ headers: request.headers, body })
      response.writeHead(200).end(JSON.stringify(answer(JSON.parse(body)[0].data.validationCode)))
    })
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => server.close())
  const subscribe = () => own('POST', 'eventSubscriptions', { endpointUrl: `http://127.0.0.1:${server.address().port}/hook` })
  answer = (code) => ({ validationResponse: code })
  assert.equal((await subscribe()).state, 'active')
  answer = (code) => ({ validationResponse: code.replace(/./, 'x') })
  assert.notEqual((await subscribe().catch(() => ({ state: 'refused' }))).state, 'active')
  const [e, ...others] = await new EventGridDeserializer().deserializeEventGridEvents(heard[0].body)
  assert.deepEqual(others, [])
  assert.ok(isSystemEvent('Microsoft.EventGrid.SubscriptionValidationEvent', e))
  assert.equal(heard[0].headers['aeg-event-type'], 'SubscriptionValidation')
  assert.ok(text(e.data.validationCode) && /^https?:\/\//.test(e.data.validationUrl))
})

for (const [how, fail] of [['answers 503', (response) => response.writeHead(503).end()], ['hangs up', (response) => response.socket.destroy()]])
  test(`an endpoint that ${how} for a while gets everything afterwards: with the same ids, first tries in order, each acknowledged once`, async (t) => {
    const tries = []
    let down = true
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (piece) => { body += piece })
      request.on('end', () => {
        const [e] = JSON.parse(body)
        if (e.data.validationCode) return response.writeHead(200).end(JSON.stringify({ validationResponse: e.data.validationCode }))
        // on a kept connection that is hung up under it, libcurl sends a request once more by itself
        if (!tries.some((x) => !x.good && x.id === e.id && x.n === Number(request.headers['aeg-delivery-count'])))
          tries.push({ id: e.id, text: e.data.message, subject: e.subject, n: Number(request.headers['aeg-delivery-count']), good: !down })
        return down ? fail(response) : response.writeHead(200).end()
      })
    })
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
    t.after(() => { server.closeAllConnections(); server.close() })
    const made = await own('POST', 'eventSubscriptions', { endpointUrl: `http://127.0.0.1:${server.address().port}/`, filter: { advancedFilters: [
      { operatorType: 'StringIn', key: 'data.from', values: [handset] }] }, eventTypes: ['Microsoft.Communication.SMSReceived'] })
    t.after(() => own('DELETE', `eventSubscriptions/${made.id}`))
    const texts = [1, 2, 3, 4].map((i) => `${how} ${i}`)
    for (const [i, words] of texts.entries()) {
      await own('POST', `handsets/${encodeURIComponent(handset)}/:sms`, { to: number, text: words })
      await eventually(words, async () => (await own('GET', 'events?after=all')).value.some((e) => e.data.message === words))
      if (i === 1) await own('POST', 'clock/:advance', { seconds: 11 })     // the second try of the first: it leaves the line
    }
    await eventually('tries', () => tries.some((e) => e.n > 0))
    down = false
    await eventually('everything', async () => {
      await own('POST', 'clock/:advance', { seconds: 600 })
      return texts.every((words) => tries.some((e) => e.text === words && e.good))
    }, 30000)
    assert.deepEqual(tries.filter((e) => e.n === 0).map((e) => e.text), texts)
    const kept = (await own('GET', 'events?after=all')).value
    for (const words of texts) {
      const mine = tries.filter((e) => e.text === words)
      assert.deepEqual(mine.map((e) => e.n), mine.map((_, i) => i), 'each try says how many were before')
      assert.deepEqual(mine.filter((e) => e.good).length, 1)
      assert.deepEqual([...new Set(mine.map((e) => e.id))], kept.filter((e) => e.data.message === words).map((e) => e.id))
    }
  })

for (const schema of ['eventgrid', 'cloudevents'])
  test(`what came while an endpoint was busy arrives in one batch, in order (${schema})`, async (t) => {
    const posts = []
    let first
    const server = createServer((request, response) => {
      if (request.method === 'OPTIONS') return response.writeHead(200, { 'WebHook-Allowed-Origin': '*' }).end()
      let body = ''
      request.on('data', (piece) => { body += piece })
      request.on('end', () => {
        const events = JSON.parse(body)
        if (events[0].data.validationCode) return response.writeHead(200).end(JSON.stringify({ validationResponse: events[0].data.validationCode }))
        posts.push({ headers: request.headers, body })
        if (posts.length === 1) first = response
        else response.writeHead(200).end()
      })
    })
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
    t.after(() => { server.closeAllConnections(); server.close() })
    const made = await own('POST', 'eventSubscriptions', { endpointUrl: `http://127.0.0.1:${server.address().port}/`, schema, batch: 3,
      eventTypes: ['Microsoft.Communication.SMSReceived'] })
    t.after(() => own('DELETE', `eventSubscriptions/${made.id}`))
    const texts = [0, 1, 2, 3, 4].map((i) => `${schema} batch ${i}`)
    for (const words of texts) {
      await own('POST', `handsets/${encodeURIComponent(handset)}/:sms`, { to: number, text: words })
      await eventually(words, async () => (await own('GET', 'events?after=all')).value.some((e) => e.data.message === words))
      await eventually('the first POST', () => first)
    }
    first.writeHead(200).end()
    await eventually('the rest', () => posts.length === 3)
    const read = schema === 'eventgrid' ? (p) => new EventGridDeserializer().deserializeEventGridEvents(p.body) : (p) => HTTP.toEvent(p)
    const batches = await Promise.all(posts.map(read))
    assert.deepEqual(batches.map((events) => events.map((e) => e.data.message)), [texts.slice(0, 1), texts.slice(1, 4), texts.slice(4)])
    assert.equal(new Set(batches.flat().map((e) => e.id)).size, texts.length)
    if (schema === 'cloudevents') assert.ok(batches.flat().every((e) => e.validate()))
    for (const { headers } of posts)
      assert.match(headers['content-type'], schema === 'eventgrid' ? /^application\/json/ : /^application\/cloudevents-batch\+json/)
  })
