/** What is shown from paying on, by step, fetched together once the buyer holds something to pay for. */
export { default as checkout } from './CheckoutStep.svelte';
export { default as processing } from './ProcessingStep.svelte';
export { default as voided } from './VoidedStep.svelte';
export { default as confirmed } from '#lib/tickets/ConfirmedStep.svelte';
