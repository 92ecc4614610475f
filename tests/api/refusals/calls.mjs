// Calls and messages, for the sake of the number that they are from or to.
import { createServer } from 'node:http'
import { eventually } from '../harness.mjs'
import { current, never, old, phone, tollFree } from './world.mjs'
import { numbers } from './numbers.mjs'

const { toll, silent, home } = numbers
const unverified = await current.lease({ ...tollFree, areaCode: '833' })
const media = (id, verb, body) => old.ask('POST', `/calling/callConnections/${id}:${verb}`, body)
const file = { playSources: [{ kind: 'file', file: { uri: 'http://127.0.0.1:9/x.wav' } }] }

/** A call that rings, one that is answered: the first by a handset that waits for its owner, the second by the network itself. */
const [waiting, answering] = ['+12065550130', '+12065550131']
const placed = async (to) => (await (await old.call(home, to)).json()).callConnectionId
async function unanswered() {
  await old.own('POST', `handsets/${encodeURIComponent(waiting)}/:attach`)
  return placed(waiting)
}
let standing
async function established() {
  standing ??= await placed(answering)
  await eventually('the answer', async () => (await (await old.ask('GET', `/calling/callConnections/${standing}`)).json()).callConnectionState === 'connected')
  return standing
}

/** More to be played in one call than may wait: the prompt is somewhere that never answers. */
async function playlist() {
  const deaf = createServer(() => {}), id = await established()
  await new Promise((listening) => deaf.listen(0, '127.0.0.1', listening))
  const prompt = { kind: 'file', file: { uri: `http://127.0.0.1:${deaf.address().port}/x.wav` } }
  try {
    for (let i = 0; i < 64; i++) {
      const answer = await media(id, 'play', { playSources: [prompt] })
      if (answer.status !== 202) return answer
    }
  } finally {
    deaf.close()
    deaf.closeAllConnections()
  }
}

export default [
  ['SmsNotAvailableForNumberType', 400, ['local (geographic) number', '2020-10', 'Lease a toll-free number for an application with sms \'outbound\' or \'inbound+outbound\' and send from it.'],
    () => old.text(home), 'from'],
  ['MessageEmpty', 400, [], () => old.ask('POST', '/sms', { from: toll, message: '', smsRecipients: [{ to: '+12065550101' }] }), 'message'],
  ['MessageEmpty', 400, [], () => old.operator('POST', 'messages/:preview', { from: toll, to: ['+12065550101'], message: '' }), 'message'],
  ['SmsNotOutbound', 400, [silent], async () => { await old.change(silent, { sms: 'inbound' }); return old.text(silent) }, 'from'],
  ['SenderNotLeased', 401, [], () => old.text('+18335550999'), 'from'],
  ['SenderNotLeased', 401, [], () => old.text('Carterfone'), 'from'],
  ['CallerIdNeeded', 403, [], () => old.call(undefined, '+12065550101')],
  ['CallerIdNotLeased', 403, ['+12065550199'], () => old.call('+12065550199', '+12065550101')],
  ['CallerIdWithoutCalling', 403, [silent], () => old.call(silent, '+12065550101')],
  ['CallDestinationNotAllowed', 403, [toll, '+442071838750', 'toll-free', 'US', '2020-10'], () => old.call(toll, '+442071838750')],
  ['CallDestinationNotAllowed', 403, [toll, '+16135550101', 'toll-free', 'US', '2020-10'], () => old.call(toll, '+16135550101')],
  ['NoRateForDestination', 403, ['+8835100012345'], () => old.call(home, '+8835100012345')],
  ['DestinationClosed', 403, ['+19005550100'], () => old.call(home, '+19005550100')],
  ['CallDestinationInvalid', 400, ['12'], () => old.call(home, '12')],
  ['RepeatabilityIdTooLong', 400, [128], () => old.calling(home, {}, { 'repeatability-request-id': 'x'.repeat(129) })],
  ['CallNotFound', 404, [], () => old.ask('GET', `/calling/callConnections/${never}`)],
  ['CallNotEstablished', 400, [], async () => media(await unanswered(), 'play', file)],
  ['ParticipantNotInCall', 400, ['+12065550199'], async () => media(await established(), 'play', { ...file, playTo: [phone('+12065550199')] })],
  ['HandsetInCall', 409, [/\+12065550131 is .* already\./], async () => { await established(); return old.operator('POST', `handsets/${encodeURIComponent(answering)}/:answer`, {}) }],
  ['MediaQueueFull', 429, [32], playlist],
  ['UnsupportedTarget', 501, ['A call to several targets'], () => old.calling(home, { targets: [phone('+12065550101'), phone('+12065550102')] })],
  ['UnsupportedTarget', 501, ['A call to anything but a phone number'], () => old.calling(home, { targets: [{ kind: 'communicationUser', rawId: '8:acs:x' }] })],
  ['UnsupportedPlaySource', 501, ['text'], async () => media(await established(), 'play', { playSources: [{ kind: 'text', text: { text: 'x' } }] })],
  ['UnsupportedRecognizeInput', 501, ['anything but tones'], async () => media(await established(), 'recognize', { recognizeInputType: 'speech', recognizeOptions: { targetParticipant: phone(answering) } })],
  ['UnsupportedCallOption', 501, ['Media streaming'], () => old.calling(home, { mediaStreamingOptions: { startMediaStreaming: true } })],
]
export const calls = { unverified }
