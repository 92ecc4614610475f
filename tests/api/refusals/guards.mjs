// Guards over text messages, times, and messages that are taken back.
import { eventually } from '../harness.mjs'
import { old } from './world.mjs'
import { numbers } from './numbers.mjs'

const { toll } = numbers
const add = (guard) => old.operator('POST', 'smsGuards', { name: 'g-guard', kind: 'sender', match: '*', count: 1, ...guard })
const set = (name, more) => old.operator('PATCH', `smsGuards/${name}`, more)
const send = (to, headers = {}) => old.ask('POST', '/sms', { from: toll, smsRecipients: [].concat(to).map((one) => ({ to: one })), message: 'guarded' }, undefined, headers)
const at = (when) => send('+12065550100', { 'Carterfone-Send-At': when })
/** With one guard on, and off again behind it. */
async function under(guard, ask) {
  await add({ ...guard, name: 'g-on' })
  const answer = await ask()
  await old.operator('DELETE', 'smsGuards/g-on')
  return answer
}

export default [
  ['GuardFieldInvalid', 400, ['kind', /sender, .*/], () => add({ kind: 'nothing' }), 'kind'],
  ['GuardFieldInvalid', 400, ['count', /1 to .*/], () => add({ count: 0 }), 'count'],
  ['GuardFieldInvalid', 400, ['match', /digits .*/], () => add({ kind: 'prefix', match: 'x' }), 'match'],
  ['GuardFieldInvalid', 400, ['until', /later .*/], () => add({ kind: 'quiet', from: '08:00', until: '07:00' }), 'until'],
  ['GuardFieldInvalid', 400, ['from', /a time .*/], () => add({ kind: 'quiet', from: '25:00', until: '07:00' }), 'from'],
  ['GuardFieldInvalid', 400, ['excess', /wait: .*/], () => add({ kind: 'carrier', excess: 'refuse' }), 'excess'],
  ['GuardFieldInvalid', 400, ['match', /given .*/], () => set('10dlc-att-high', { on: true }), 'match'],
  ['GuardFieldInvalid', 400, ['match', /a number, .*/], () => add({ match: 'nosuch' }), 'match'],
  ['GuardTaken', 409, ['g-on'], () => under({}, () => add({ name: 'g-on' }))],
  ['GuardKnown', 409, ['pumping'], () => add({ name: 'pumping' })],
  ['GuardNotFound', 404, ['nothing'], () => set('nothing', { on: true })],
  ['SmsRequestOverLimit', 429, ['g-on', '3', '2'], () => under({ count: 2, excess: 'refuse' }, () => send(['+12065550100', '+12065550101', '+12065550102']))],
  ['ScheduleTooFar', 400, ['31'], () => at('2999-01-01T00:00:00Z')],
  ['ScheduleUnreadable', 400, ['tomorrow'], () => at('tomorrow')],
  ['MessageNotWaiting', 409, [], async () => {
    const { value } = await (await send('+12065550100', { 'Carterfone-Send-At': new Date(Date.now() + 20 * 86400000).toISOString() })).json()
    await old.operator('POST', `messages/${value[0].messageId}/:cancel`)
    return old.operator('POST', `messages/${value[0].messageId}/:cancel`)
  }],
  ['MessageNotCancelled', 409, [], async () => {            // the handset has it, and its receipt never comes
    const { value } = await (await send('+12065550161')).json()
    await eventually('the handset has it', async () => (await (await old.operator('GET', `handsets/${encodeURIComponent('+12065550161')}/inbox`)).json()).value.length)
    return old.operator('POST', `messages/${value[0].messageId}/:cancel`)
  }],
]
