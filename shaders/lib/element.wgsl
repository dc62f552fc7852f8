// A float of the file, of a type as GGUF numbers them: 0 is f32, 1 f16, 30 bf16. `first` is the byte of the first.
fn element(type_number: u32, first: u32, i: u32) -> f32 {
    switch type_number {
        case 1u: {
            return unpack2x16float(raw_u16(first + 2u * i)).x;
        }
        case 30u: {
            return bitcast<f32>(raw_u16(first + 2u * i) << 16u);
        }
        default: {
            return bitcast<f32>(raw_u32(first + 4u * i));
        }
    }
}
