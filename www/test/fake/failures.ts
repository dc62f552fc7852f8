// Failures as the engine words them: what, where, expected, got, what to do.

/** Message and details by code. */
export const FAILURES: Readonly<Record<string, { message: string; details: Record<string, unknown> }>> = {
  network: {
    message:
      "GET https://models.example.org/smollm2-135m-instruct.gguf: expected 206, got 404 Not Found; check the address",
    details: { status: 404, url: "https://models.example.org/smollm2-135m-instruct.gguf" },
  },
  unsupported_device: {
    message: "WebGPU found no usable GPU: turn on hardware acceleration in the browser's settings",
    details: { reason: "no_adapter" },
  },
  unsupported_model: {
    message: "tensor blk.0.attn_q.weight: type iq2_ks (145) is not supported; q4_1, q8_0, f16 and f32 are",
    details: { tensor: "blk.0.attn_q.weight", ggml_type: 145 },
  },
  context_length_exceeded: {
    message: "the prompt has 8311 tokens, the context holds 8192",
    details: { prompt_tokens: 8311, context_length: 8192, param: "messages" },
  },
  busy: {
    message:
      "https://models.example.org/smollm2-135m-instruct.gguf is being loaded; it can be removed afterwards",
    details: {},
  },
  device_lost: { message: "the GPU device was lost: reset by the driver", details: { reason: "unknown" } },
};
