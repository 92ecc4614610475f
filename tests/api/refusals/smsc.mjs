// Routes of text messages.
import { old } from './world.mjs'

const add = (route) => old.operator('POST', 'smsRoutes', { name: 'r-route', carrier: 'sim', ...route })

export default [
  ['RouteFieldInvalid', 400, ['prefix', /digits .*/], () => add({ prefix: '+1a' }), 'prefix'],
  ['RouteFieldInvalid', 400, ['weight', '1 to 1000'], () => add({ weight: 0 }), 'weight'],
  ['RouteCarrierUnknown', 400, ['simm', "Did you mean '", 'sim', "'? "], () => add({ carrier: 'simm' }), 'carrier'],
  ['RouteTaken', 409, ['r-twice'], async () => {
    await add({ name: 'r-twice', prefix: '+999' })
    const answer = await add({ name: 'r-twice' })
    await old.operator('DELETE', 'smsRoutes/r-twice')
    return answer
  }],
  ['RouteNotFound', 404, ['nowhere'], () => old.operator('DELETE', 'smsRoutes/nowhere')],
  ['SmscNotFound', 404, ['simm', "Did you mean '", 'sim', "'? "], () => old.operator('PATCH', 'smscs/simm', {})],
  ['SmscBuiltIn', 409, ['sim'], () => old.operator('DELETE', 'smscs/sim')],
  ['SmscTestInvalid', 400, ['burst', '0 to 1000 submits'], () => old.operator('POST', 'smscs/sim/:test', { burst: 1001 }), 'burst'],
  ['SmscTestInvalid', 400, ['from', /a leased number.*/], () => old.operator('POST', 'smscs/sim/:test', { from: '+18335550100', to: '+12065550100' }), 'from'],
]
