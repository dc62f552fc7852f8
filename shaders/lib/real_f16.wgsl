// Products of weights and inputs in f16; sums over more than four products stay in f32.
alias real = f16;
alias real4 = vec4<f16>;
