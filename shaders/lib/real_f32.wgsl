// Products of weights and inputs in f32.
alias real = f32;
alias real4 = vec4<f32>;
