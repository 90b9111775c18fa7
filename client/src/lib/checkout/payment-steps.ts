/** What is shown from paying on, fetched together once the buyer holds something to pay for. */
export { default as CheckoutStep } from './CheckoutStep.svelte';
export { default as ProcessingStep } from './ProcessingStep.svelte';
export { default as VoidedStep } from './VoidedStep.svelte';
export { default as ConfirmedStep } from '#lib/tickets/ConfirmedStep.svelte';
