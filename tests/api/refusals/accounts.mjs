// Accounts, resources, prices, carriers: what the operator and the planner are told.
import { old } from './world.mjs'

await old.resource('r-twice', 'payg', 'US')
const price = (to, from) => old.operator('GET', `price?to=${encodeURIComponent(to)}${from ? `&from=${from}` : ''}`)

export default [
  ['OfferUnknown', 400, ['lottery'], () => old.operator('POST', 'accounts', { name: 'r-x', offer: 'lottery', billingCountry: 'US' }), 'offer'],
  ['NameTaken', 409, ['r-twice'], () => old.operator('POST', 'accounts', { name: 'r-twice', offer: 'payg', billingCountry: 'US' }), 'name'],
  ['FieldNeeded', 400, ['to', 'a phone number such as +442071838750'], () => old.operator('GET', 'price'), 'to'],
  ['NoRateForDestination', 403, ['+8835100012345'], () => price('+8835100012345')],
  ['DestinationClosed', 403, ['+19005550100'], () => price('+19005550100')],
  ['CallDestinationInvalid', 400, ['12'], () => price('12'), 'to'],
  ['PhoneNumberTypeUnknown', 400, ['fax'], () => price('+12065550100', 'fax'), 'from'],
  ['AnotherWasFirst', 409, [], () => old.operator('POST', 'smscs', { name: 'sim', host: '127.0.0.1:2775', systemId: 'x', simulated: true })],
  ['NameReserved', 400, [], () => old.operator('POST', 'smscs', { name: 'sim', host: '192.0.2.1:2775', systemId: 'x' })],
]
