// Both official JavaScript clients, 1.1.0 and 1.2.0-beta.4: each way to make one, and every method they have. The last test fails when
// a version brings a method that nothing here calls.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { EventGridDeserializer, isSystemEvent } from '@azure/eventgrid'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import * as stable from '@azure/communication-sms'
import * as beta from '@azure/communication-sms-beta'
import { connectionString, endpoint, eventually, lease, own, ready, randomUUID } from './harness.mjs'

const called = new Set(), all = new Set()
/* Getters too: optOuts is one, and its object's methods count. */
function watch(name, object) {
  for (const [method, what] of Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object)))) {
    if (method === 'constructor' || typeof what.value !== 'function') continue
    all.add(`${name}.${method}`)
    object[method] = function (...args) { called.add(`${name}.${method}`); return what.value.apply(this, args) }
  }
  for (const [field, inner] of Object.entries(object))
    if (inner && /OptOuts/.test(inner.constructor?.name)) watch(`${name}.${field}`, inner)
  return object
}

const from = await lease(new PhoneNumbersClient(connectionString), { areaCode: '833', sms: 'inbound+outbound' })
const [to, stopper, invalid, abroad] = ['+12065550104', '+12065550105', '+1425555012345', '+442071838750']
const [, url, accessKey] = connectionString.match(/endpoint=(.*?);accesskey=(.*)/)
const bearer = () => ({ getToken: async () => ({ token: execFileSync(process.env.CARTERFONE, ['token', '--data', process.env.CARTERFONE_DATA], { encoding: 'utf8' }).trim(),
  expiresOnTimestamp: Date.now() + 3600e3 }) })
const inbox = async (number) => (await own('GET', `handsets/${encodeURIComponent(number)}/inbox`)).value

for (const [version, { SmsClient }] of [['1.1.0', stable], ['1.2.0-beta.4', beta]]) {
  const make = { 'a connection string': () => new SmsClient(connectionString), 'an endpoint and a key': () => new SmsClient(url, { key: accessKey }),
    'an endpoint and a token': () => new SmsClient(url, bearer()) }
  for (const [how, client] of Object.entries(make))
    test(`${version}: a client of ${how} sends`, async () => {
      const message = `${version} ${how} ünï 😀 ${randomUUID()}`
      const [sent] = await watch(version, client()).send({ from, to: [to], message })
      assert.deepEqual([sent.to, sent.httpStatusCode, sent.successful, sent.errorMessage], [to, 202, true, undefined])
      assert.match(sent.messageId, /^Outgoing_\d{14}[0-9a-f-]{36}_noam$/)
      await eventually('it came', async () => (await inbox(to)).some((m) => m.text === message))
    })

  test(`${version}: to many, each by itself; a tag and a report that the Event Grid SDK reads`, async (t) => {
    const hook = await endpoint(t), client = watch(version, new SmsClient(connectionString)), tag = `t ${randomUUID()}`
    const subscription = await own('POST', 'eventSubscriptions', { endpointUrl: hook.url, schema: 'eventgrid', eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] })
    const results = await client.send({ from, to: [to, invalid, abroad], message: 'to many' }, { enableDeliveryReport: true, tag })
    assert.deepEqual(results.map((r) => [r.to, r.httpStatusCode, r.successful, Boolean(r.messageId)]), [[to, 202, true, true], [invalid, 400, false, false], [abroad, 400, false, false]])
    assert.equal(results[1].errorMessage, 'Invalid To phone number format.')
    const { event } = await hook.event('SMSDeliveryReportReceived', (d) => d.messageId === results[0].messageId)
    const [read] = await new EventGridDeserializer().deserializeEventGridEvents(event)
    assert.ok(isSystemEvent('Microsoft.Communication.SMSDeliveryReportReceived', read))
    assert.deepEqual([read.data.deliveryStatus, read.data.tag, read.data.from, read.data.to], ['Delivered', tag, from, to])
    assert.ok(read.data.receivedTimestamp instanceof Date || !Number.isNaN(Date.parse(read.data.receivedTimestamp)))
    assert.equal(read.data.deliveryAttempts[0].segmentsSucceeded, 1)
    await own('DELETE', `eventSubscriptions/${subscription.id}`)
  })

  test(`${version}: an error has status, code and text; a try that the client repeats sends once`, async () => {
    const client = watch(version, new SmsClient(connectionString))
    await assert.rejects(client.send({ from: '+18335550999', to: [to], message: 'x' }), (e) => e.statusCode === 401)
    await assert.rejects(client.send({ from, to: [to], message: '' }), (e) => e.statusCode === 400)
    await assert.rejects(client.send({ from, to: Array.from({ length: 101 }, () => to), message: 'x' }), (e) => e.statusCode === 400)
    const message = `once ${randomUUID()}`
    await own('POST', 'faults', { fault: 'api 503 path=/sms count=1' })
    await own('POST', 'faults', { fault: 'api drop-answer path=/sms count=1' })      // it was done, and the client cannot know
    const [sent] = await client.send({ from, to: [to], message })
    assert.equal(sent.httpStatusCode, 202)
    await eventually('it came', async () => (await inbox(to)).some((m) => m.text === message))
    assert.equal((await own('GET', 'messages?limit=5')).value.filter((m) => m.message === message).length, 1)
  })
}

/* deliveryReportTimeoutInSeconds is in this version's types, and its client does not send it. */
test('1.2.0-beta.4: a messaging-connect partner', async () => {
  const client = watch('1.2.0-beta.4', new beta.SmsClient(connectionString))
  const [sent] = await client.send({ from, to: [to], message: 'x' }, { messagingConnect: { apiKey: 'k', partner: 'infobip' } })
  const told = JSON.stringify((await own('GET', `explain/${sent.messageId}`)).lines)
  assert.match(told, /infobip is named as messaging-connect partner/)
  await assert.rejects(client.send({ from, to: [to], message: 'x' }, { messagingConnect: { apiKey: '', partner: 'infobip' } }), (e) => e.statusCode === 400 && /apiKey/.test(e.message))
})

test('1.2.0-beta.4: opt-outs', async () => {
  const client = watch('1.2.0-beta.4', new beta.SmsClient(connectionString))
  const added = await client.optOuts.add(from, [stopper, invalid])
  assert.deepEqual(added.map((r) => [r.to, r.httpStatusCode, r.errorMessage]), [[stopper, 200, ''], [invalid, 400, 'Invalid To phone number format.']])
  assert.deepEqual((await client.optOuts.check(from, [stopper, to])).map((r) => r.isOptedOut), [true, false])
  assert.equal((await client.send({ from, to: [stopper], message: 'x' }))[0].errorMessage, 'Sender blocked for given recipient.')
  assert.deepEqual((await client.optOuts.remove(from, [stopper])).map((r) => r.httpStatusCode), [200])
  assert.deepEqual((await client.optOuts.check(from, [stopper])).map((r) => r.isOptedOut), [false])
})

test('every method of both clients was called', () => {
  assert.deepEqual([...all].sort(), ['1.1.0.send', '1.2.0-beta.4.optOuts.add', '1.2.0-beta.4.optOuts.check', '1.2.0-beta.4.optOuts.remove', '1.2.0-beta.4.send'])
  assert.deepEqual([...called].sort(), [...all].sort())
})
