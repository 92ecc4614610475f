// A call by @azure/communication-call-automation, unmodified, over TLS, real SIP and real RTP to the simulated phone network.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { CallAutomationClient, parseCallAutomationEvent } from '@azure/communication-call-automation'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, endpoint, eventually, folder, lease, own, refused } from './harness.mjs'
import { likeness, samplesOf, sweep, wavOf } from './wav.mjs'

const client = new CallAutomationClient(connectionString)
const caller = await lease(new PhoneNumbersClient(connectionString), { type: 'geographic', areaCode: '206', calling: 'inbound+outbound' })
const prompt = sweep(3)
const handset = (number, verb, body = {}) => own('POST', `handsets/${encodeURIComponent(number)}/:${verb}`, body)
const dial = (to, hook, from = caller) =>
  client.createCall({ targetParticipant: { phoneNumber: to }, sourceCallIdNumber: { phoneNumber: from } }, `${hook.url}/callback`, { operationContext: 'ctx' })

/** Every callback is an array of exactly one CloudEvent that the SDK knows. */
function checkCallbacks(hook) {
  for (const { batch, event } of hook.events) {
    assert.ok(Array.isArray(batch) && batch.length === 1)
    assert.equal(parseCallAutomationEvent(structuredClone(event)).kind ?? event.type.split('.').pop(), event.type.split('.').pop())
  }
}

test('a call is answered, hears the prompt, gives three digits and ends', async (t) => {
  const hook = await endpoint(t, { '/prompt.wav': wavOf(prompt) })
  const to = '+12065550110', record = join(folder, 'heard.wav')
  await handset(to, 'attach')
  const made = await dial(to, hook)
  const id = made.callConnectionProperties.callConnectionId
  assert.ok(id)
  assert.equal(made.callConnectionProperties.callConnectionState, 'connecting')
  await handset(to, 'answer', { record })

  const connected = (await hook.event('CallConnected')).event
  assert.equal(connected.data.callConnectionId, id)
  assert.equal(connected.data.operationContext, 'ctx')
  assert.ok(connected.data.serverCallId && connected.data.correlationId)
  const properties = await made.callConnection.getCallConnectionProperties()
  assert.equal(properties.callConnectionState, 'connected')

  const media = made.callConnection.getCallMedia()
  await media.playToAll([{ kind: 'fileSource', url: `${hook.url}/prompt.wav` }], { operationContext: 'p' })
  assert.equal((await hook.event('PlayCompleted', (d) => d.operationContext === 'p', 15000)).event.data.callConnectionId, id)

  await media.startRecognizing({ phoneNumber: to }, { kind: 'callMediaRecognizeDtmfOptions', maxTonesToCollect: 3, initialSilenceTimeoutInSeconds: 10,
    interToneTimeoutInSeconds: 5, operationContext: 'r' })
  await handset(to, 'press', { digits: '42#' })
  const recognised = (await hook.event('RecognizeCompleted', (d) => d.operationContext === 'r', 15000)).event
  assert.equal(recognised.data.recognitionType, 'dtmf')
  assert.deepEqual(recognised.data.dtmfResult.tones, ['four', 'two', 'pound'])

  await made.callConnection.hangUp(true)
  assert.equal((await hook.event('CallDisconnected')).event.data.callConnectionId, id)
  const gone = await made.callConnection.getCallConnectionProperties().then(() => assert.fail('still there'), (e) => e)
  assert.equal(gone.statusCode, 404)
  assert.equal(gone.code, '8522')

  await eventually('the recording', () => existsSync(record) && readFileSync(record).length > 44)
  const heard = likeness(samplesOf(readFileSync(record)), prompt)
  t.diagnostic(`correlation of what the handset heard with the prompt: ${heard.value.toFixed(4)}, ${heard.at / 8} ms into the recording`)
  assert.ok(heard.value >= 0.9, `correlation ${heard.value}`)
  checkCallbacks(hook)
  assert.match(JSON.stringify((await own('GET', `explain/${id}`)).lines), /INVITE|BYE/)
})

test('a handset that hangs up ends the call', async (t) => {
  const hook = await endpoint(t)
  const to = '+12065550111'
  await handset(to, 'attach')
  const made = await dial(to, hook)
  await handset(to, 'answer')
  await hook.event('CallConnected')
  await handset(to, 'hangup')
  const ended = (await hook.event('CallDisconnected')).event
  assert.equal(ended.data.callConnectionId, made.callConnectionProperties.callConnectionId)
  checkCallbacks(hook)
})

test('silence where digits are wanted is RecognizeFailed', async (t) => {
  const hook = await endpoint(t)
  const to = '+12065550112'
  const made = await dial(to, hook)               // nobody attached: the network answers by itself
  await hook.event('CallConnected')
  await made.callConnection.getCallMedia().startRecognizing({ phoneNumber: to }, { kind: 'callMediaRecognizeDtmfOptions', maxTonesToCollect: 3, initialSilenceTimeoutInSeconds: 1 })
  const failed = (await hook.event('RecognizeFailed')).event
  assert.equal(failed.data.resultInformation.subCode, 8510)
  await made.callConnection.hangUp(true)
  await hook.event('CallDisconnected')
  checkCallbacks(hook)
})

for (const [what, to, code] of [['busy', '+12065550150', 486], ['declined', '+12065550152', 603], ['unallocated', '+12065550153', 404]]) {
  test(`a handset that is ${what} is CreateCallFailed`, async (t) => {
    const hook = await endpoint(t)
    const made = await dial(to, hook)
    const failed = (await hook.event('CreateCallFailed')).event
    assert.equal(failed.data.callConnectionId, made.callConnectionProperties.callConnectionId)
    assert.equal(failed.data.resultInformation.code, code)
    checkCallbacks(hook)
  })
}

test('a caller ID that is not leased here is 403 with subcode 510403', async (t) => {
  const hook = await endpoint(t)
  const error = await refused(() => dial('+12065550110', hook, '+12065559999'), 403)
  assert.match(JSON.stringify(error), /510403/)
  assert.equal(hook.events.length, 0)
})

test('a destination that is closed is refused', async (t) => {
  const hook = await endpoint(t)
  await refused(() => dial('+19005551234', hook), 403)
  assert.equal(hook.events.length, 0)
})

test('playing can be cancelled, tones sent and heard one by one', async (t) => {
  const hook = await endpoint(t, { '/prompt.wav': wavOf(prompt) })
  const to = '+12065550114'
  await handset(to, 'attach')
  const made = await dial(to, hook)
  await handset(to, 'answer')
  await hook.event('CallConnected')
  const media = made.callConnection.getCallMedia()
  await media.play([{ kind: 'fileSource', url: `${hook.url}/prompt.wav` }], [{ phoneNumber: to }], { loop: true, operationContext: 'l' })
  await hook.event('PlayStarted', (d) => d.operationContext === 'l')
  await media.cancelAllOperations()
  assert.equal((await hook.event('PlayCanceled')).event.data.resultInformation.subCode, 8508)
  await media.sendDtmfTones(['one', 'pound'], { phoneNumber: to }, { operationContext: 's' })
  await hook.event('SendDtmfTonesCompleted', (d) => d.operationContext === 's')
  await media.startContinuousDtmfRecognition({ phoneNumber: to }, { operationContext: 'c' })
  await handset(to, 'press', { digits: '7' })
  const tone = (await hook.event('ContinuousDtmfRecognitionToneReceived')).event.data
  assert.equal(tone.tone, 'seven')
  await media.stopContinuousDtmfRecognition({ phoneNumber: to })
  await hook.event('ContinuousDtmfRecognitionStopped')
  const participants = await made.callConnection.listParticipants()
  assert.deepEqual(participants.values.map((p) => p.identifier.phoneNumber), [to])
  assert.equal((await made.callConnection.getParticipant({ phoneNumber: to })).isMuted, false)
  await made.callConnection.hangUp(false)
  await hook.event('CallDisconnected')
  checkCallbacks(hook)
})

test('a handset calls in: told by IncomingCall, answered by its context', async (t) => {
  const hook = await endpoint(t), events = await endpoint(t)
  const from = '+12065550115'
  await own('POST', 'eventSubscriptions', { endpointUrl: `${events.url}/events`, eventTypes: ['Microsoft.Communication.IncomingCall'] })
  await handset(from, 'dial', { to: caller })
  const incoming = (await events.event('IncomingCall', (d) => d.from.phoneNumber.value === from)).event.data
  assert.equal(incoming.to.phoneNumber.value, caller)
  const answered = await client.answerCall(incoming.incomingCallContext, `${hook.url}/callback`, { operationContext: 'in' })
  assert.equal(answered.callConnectionProperties.source.phoneNumber, from)
  assert.equal(answered.callConnectionProperties.serverCallId, incoming.serverCallId)
  assert.equal((await hook.event('CallConnected')).event.data.operationContext, 'in')
  await answered.callConnection.hangUp(true)
  await hook.event('CallDisconnected')
  checkCallbacks(hook)
})

test('an incoming call is rejected', async (t) => {
  const events = await endpoint(t)
  const from = '+12065550116'
  await own('POST', 'eventSubscriptions', { endpointUrl: `${events.url}/events`, eventTypes: ['Microsoft.Communication.IncomingCall'] })
  await handset(from, 'dial', { to: caller })
  const incoming = (await events.event('IncomingCall', (d) => d.from.phoneNumber.value === from)).event.data
  await client.rejectCall(incoming.incomingCallContext, { callRejectReason: 'busy' })
  const gone = await client.answerCall(incoming.incomingCallContext, `${events.url}/callback`).then(() => assert.fail('answered'), (e) => e)
  assert.equal(gone.statusCode, 404)
})
