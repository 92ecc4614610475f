// Accounts, resources, prices, carriers: what the operator and the planner are told.
import { bare, never, old, tollFree } from './world.mjs'

await old.resource('r-twice', 'payg', 'US')
const price = (to, from) => old.operator('GET', `price?to=${encodeURIComponent(to)}${from ? `&from=${from}` : ''}`)

const capped = await old.resource('r-capped', 'payg', 'US')
await old.own('POST', 'accounts/r-capped/:spendCap', { microUsd: 1_500_000 })
const dear = async () => (await old.search(tollFree, capped)).headers.get('search-id')
const month = (months = 0) => { const d = new Date(); d.setUTCMonth(d.getUTCMonth() + months, 1); return d.toISOString().slice(0, 7) }

/** A request of the management API, as @azure/arm-communication makes it, for the resource group `shops` of the account r-arm. */
await old.resource('r-arm', 'payg', 'US')
const { id } = await old.own('GET', 'accounts/r-arm')
const service = (name, group = 'shops') => `/subscriptions/${id}/resourceGroups/${group}/providers/Microsoft.Communication/communicationServices/${name}`
const arm = (method, path, body) => old.raw(method, `${path}?api-version=2025-09-01`, body, old.operatorKey)
const put = (name, more, properties) => arm('PUT', service(name), { location: 'global', properties: { dataLocation: 'United States', ...properties }, ...more })
await put('r-shop')
const away = await old.resource('r-away', 'payg', 'US')
await old.own('PATCH', 'accounts/r-away', { state: 'suspended' })

export default [
  ['OperatorOnly', 403, ["Sign with the operator's key (DATA/operator.key)"], () => old.raw('POST', '/carterfone/v1/accounts', { name: 'r-mine' })],
  ['ClockIsReal', 403, [], () => bare.operator('POST', 'clock/:advance', { seconds: 1 })],
  ['DeliverySettingInvalid', 400, ['batch', '1 to 100 events in one POST'], () => old.operator('POST', 'eventSubscriptions', { endpointUrl: 'http://127.0.0.1:9/', batch: 101 }), 'batch'],
  ['DeliverySettingInvalid', 400, ['hmacKey', /.*/], () => old.operator('POST', 'eventSubscriptions', { endpointUrl: 'http://127.0.0.1:9/', hmacKey: 'short' }), 'hmacKey'],
  ['EventSubscriptionFixed', 400, ['endpointUrl'], () => old.operator('PATCH', `eventSubscriptions/${never}`, { endpointUrl: 'http://127.0.0.1:9/' }), 'endpointUrl'],
  ['ReplayUnclear', 400, [], () => old.operator('POST', 'events/:replay', { subscription: never })],
  ['EventFilterInvalid', 400, ['subjectBeginsWith', 'a text of 1 to 512 octets'], () => old.operator('POST', 'eventSubscriptions', { endpointUrl: 'http://127.0.0.1:9/', filter: { subjectBeginsWith: 1 } }), 'filter.subjectBeginsWith'],
  ['SimulatorOff', 404, [], () => bare.operator('POST', 'handsets/%2B12065550101/:sms', { to: '+18335550101', text: 'x' })],
  ['SubscriptionNotActive', 403, ['r-away'], () => old.search(tollFree, away)],
  ['AccountStateUnknown', 400, ['tired'], () => old.operator('PATCH', 'accounts/r-arm', { state: 'tired' }), 'state'],
  ['KeyTypeUnknown', 400, ['third'], () => old.operator('POST', 'resources/default/:rotateKey', { key: 'third' }), 'key'],
  ['KeyTypeUnknown', 400, ['third'], () => arm('POST', `${service('r-shop')}/regenerateKey`, { keyType: 'third' }), 'keyType'],
  ['TagsInvalid', 400, [], () => put('r-shop', { tags: { a: 1 } }), 'tags'],
  ['TagsTooLarge', 400, ['tags', /\d+/], () => put('r-shop', { tags: { a: 'x'.repeat(100_000) } }), 'tags'],
  ['DataLocationNeeded', 400, [], () => put('r-new', {}, { dataLocation: undefined }), 'properties.dataLocation'],
  ['DataLocationFixed', 409, ['r-shop', 'United States'], () => put('r-shop', {}, { dataLocation: 'Europe' }), 'properties.dataLocation'],
  ['ResourceElsewhere', 409, ['default'], () => put('default')],
  ['ResourceNotFound', 404, ['r-nobody'], () => arm('GET', service('r-nobody')), 'communicationServiceName'],
  ['PlaceInvalid', 400, ['location'], () => put('r-new', { location: 'x'.repeat(100) }), 'location'],
  ['PrivateAccessNotBuilt', 400, ['Disabled'], () => put('r-shop', {}, { publicNetworkAccess: 'Disabled' }), 'properties.publicNetworkAccess'],
  ['LinkedDomainsNotBuilt', 501, [], () => put('r-shop', {}, { linkedDomains: ['/x'] }), 'properties.linkedDomains'],
  ['NameInvalid', 400, ['Bad Name'], () => old.operator('POST', 'accounts', { name: 'Bad Name', offer: 'payg', billingCountry: 'US' }), 'name'],
  ['NameInvalid', 400, ['-x'], () => old.operator('POST', 'resources', { name: '-x', account: 'default' }), 'name'],
  ['BillingCountryInvalid', 400, ['usa'], () => old.operator('POST', 'accounts', { name: 'r-x', offer: 'payg', billingCountry: 'usa' }), 'billingCountry'],
  ['SubscriptionNotFound', 404, ['nobody'], () => old.operator('POST', 'resources', { name: 'r-x', account: 'nobody' }), 'account'],
  ['ResourceNotFound', 404, ['nobody'], () => old.operator('POST', 'resources/nobody/:rotateKey', { key: 'primary' }), 'resource'],
  ['NothingThere', 404, [], () => old.operator('GET', 'resources/nobody/keys'), 'resource'],
  ['SpendCapReached', 403, ['r-capped', '1.50', month(), '0.00', '2.00', `${month(1)}-01`], async () => old.ask('POST', '/availablePhoneNumbers/:purchase', { searchId: await dear() }, capped)],
  ['QueryUnreadable', 400, ['month', 'a month such as 2026-11'], () => old.operator('GET', 'usage?month=soon'), 'month'],
  ['QueryUnreadable', 400, ['microUsd', 'millionths of a US dollar from 0 up, or null for no cap'], () => old.operator('POST', 'accounts/r-capped/:spendCap', { microUsd: -1 }), 'microUsd'],
  ['OfferUnknown', 400, ['lottery'], () => old.operator('POST', 'accounts', { name: 'r-x', offer: 'lottery', billingCountry: 'US' }), 'offer'],
  ['NameTaken', 409, ['r-twice'], () => old.operator('POST', 'accounts', { name: 'r-twice', offer: 'payg', billingCountry: 'US' }), 'name'],
  ['FieldNeeded', 400, ['to', 'a phone number such as +442071838750'], () => old.operator('GET', 'price'), 'to'],
  ['NoRateForDestination', 403, ['+8835100012345'], () => price('+8835100012345')],
  ['DestinationClosed', 403, ['+19005550100'], () => price('+19005550100')],
  ['EmergencyHasNoPrice', 400, ['911'], () => price('911'), 'to'],
  ['EmergencyHasNoPrice', 400, ['+44999'], () => price('+44999'), 'to'],
  ['CallDestinationInvalid', 400, ['12'], () => price('12'), 'to'],
  ['PhoneNumberTypeUnknown', 400, ['fax'], () => price('+12065550100', 'fax'), 'from'],
  ['CarrierTaken', 409, ['sim'], () => old.operator('POST', 'smscs', { name: 'sim', host: '127.0.0.1:2775', systemId: 'x', simulated: true })],
  ['NameReserved', 400, [], () => old.operator('POST', 'smscs', { name: 'sim', host: '192.0.2.1:2775', systemId: 'x' })],
]
