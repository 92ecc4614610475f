// Event subscriptions that want some events only: what arrives, as the official deserialisers read it, and what does not.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { promisify } from 'node:util'
import { EventGridDeserializer } from '@azure/eventgrid'
import { SmsClient } from '@azure/communication-sms'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, endpoint, envelope, lease, own } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const [one, two] = [await lease(numbers, { sms: 'inbound+outbound' }), await lease(numbers, { sms: 'inbound+outbound' })]
const handset = '+12065550120'
const text = (to, words) => own('POST', `handsets/${encodeURIComponent(handset)}/:sms`, { to, text: words })
const where = (key, ...values) => ({ advancedFilters: [{ operatorType: 'StringIn', key, values }] })
const reader = new EventGridDeserializer()
const heard = async (hook) => (await Promise.all(hook.events.map(({ event }) =>
  event.specversion ? reader.deserializeCloudEvents(JSON.stringify(event)) : reader.deserializeEventGridEvents(JSON.stringify(event))))).flat().map((e) => e.data.message)

test('a subscription hears the subjects it asked for and no others', async (t) => {
  const [begins, exact] = [await endpoint(t), await endpoint(t)]
  const filter = { subjectBeginsWith: '/PhoneNumber/', subjectEndsWith: one.slice(-7) }
  const made = await own('POST', 'eventSubscriptions', { endpointUrl: begins.url, filter })
  await own('POST', 'eventSubscriptions', { endpointUrl: exact.url, filter: { subjectBeginsWith: '/PhoneNumber/', isSubjectCaseSensitive: true } })
  assert.deepEqual(made.filter, filter)
  assert.deepEqual((await own('GET', 'eventSubscriptions')).value.find((s) => s.id === made.id).filter, filter)
  await text(two, 'subject: not this')
  await text(one, 'subject: this')
  await begins.event('SMSReceived', (data) => data.message === 'subject: this')
  assert.deepEqual(await heard(begins), ['subject: this'])
  assert.deepEqual(await heard(exact), [])
})

for (const schema of ['eventgrid', 'cloudevents']) {
  test(`a subscription hears events with the data it asked for (${schema})`, async (t) => {
    const hook = await endpoint(t)
    const types = ['Microsoft.Communication.SMSReceived']
    await own('POST', 'eventSubscriptions', { endpointUrl: hook.url, schema, eventTypes: types, filter: where('data.to', '+18335550000', two) })
    await text(one, `${schema}: not this`)
    await text(two, `${schema}: this`)
    await hook.event('SMSReceived', (data) => data.message === `${schema}: this`)
    assert.deepEqual(await heard(hook), [`${schema}: this`])
  })
}

test('a delivery report is judged by its own data', async (t) => {
  const [failed, delivered] = [await endpoint(t), await endpoint(t)]
  await own('POST', 'eventSubscriptions', { endpointUrl: failed.url, filter: where('data.deliveryStatus', 'failed') })
  await own('POST', 'eventSubscriptions', { endpointUrl: delivered.url, filter: where('data.deliveryStatus', 'delivered') })
  const sms = new SmsClient(connectionString)
  const [r] = await sms.send({ from: one, to: [handset], message: 'arrives' }, { enableDeliveryReport: true })
  await delivered.event('SMSDeliveryReportReceived', (data) => data.messageId === r.messageId)
  assert.deepEqual(failed.events, [])
})

test('what is no filter is refused, and nothing is subscribed', async (t) => {
  const hook = await endpoint(t)
  const wrong = [[{ subjectBegins: '/a' }, 'filter.subjectBegins'], [where('to', 'x'), 'filter.advancedFilters[0].key'],
    [where('data.to'), 'filter.advancedFilters[0].values'],
    [{ advancedFilters: [{ operatorType: 'NumberIn', key: 'data.n', values: [1] }] }, 'filter.advancedFilters[0].operatorType']]
  for (const [filter, target] of wrong) {
    const e = await own('POST', 'eventSubscriptions', { endpointUrl: hook.url, filter }).then(() => assert.fail('taken'), (error) => error)
    assert.equal(e.statusCode, 400)
    assert.equal(envelope(e).target, target)
    assert.equal(envelope(e).innererror.code, 'EventFilterInvalid')
  }
  assert.deepEqual(hook.handshakes, [])
  assert.ok(!(await own('GET', 'eventSubscriptions')).value.some((s) => s.endpointUrl === hook.url))
})

test('the command line makes one condition of a field that is given twice', async (t) => {
  const hook = await endpoint(t)
  const { stdout } = await promisify(execFile)(process.env.CARTERFONE, ['events', 'subscribe', '--data', process.env.CARTERFONE_DATA, '--url', hook.url, '--json',
    '--subject-begins', '/phone', '--subject-ends', '0', '--where', 'data.to=+1', '--where', 'data.from=a=b', '--where', 'data.to=+2'])
  const condition = (key, values) => ({ operatorType: 'StringIn', key, values })
  assert.deepEqual(JSON.parse(stdout).filter, { subjectBeginsWith: '/phone', subjectEndsWith: '0',
    advancedFilters: [condition('data.to', ['+1', '+2']), condition('data.from', ['a=b'])] })
})
