//! How calls of tools are marked and written, family by family.

use super::call::Call;
use super::{Callable, calls, literal, tagged};

/// What is between the marks → calls of these tools.
type Parse = fn(&str, &[Callable]) -> Option<Vec<Call>>;

/// How calls of tools are marked.
#[derive(Debug)]
pub(super) struct Block {
    /// What begins them.
    pub(super) open: &'static str,
    /// What ends them; else the end of the answer does.
    pub(super) close: Option<&'static str>,
    /// What begins them as well, up to the answer's end, if the answer begins with it.
    pub(super) bare: &'static [&'static str],
    pub(super) parse: Parse,
    /// Calls as the model was taught to write them.
    pub(super) writing: Writing,
    /// How the model is told of tools.
    pub(super) offer: Offer,
    /// What of a template tells it: all of these.
    told_by: &'static [&'static str],
}

/// How calls are written.
#[derive(Debug)]
pub(super) struct Writing {
    /// In front of the first.
    pub(super) begin: &'static str,
    /// In front of the name, between the name and the arguments, and behind those.
    pub(super) call: [&'static str; 3],
    /// Between two calls.
    pub(super) between: &'static str,
    /// Behind the last.
    pub(super) end: &'static str,
    /// How arguments are, if they are no object of JSON.
    pub(super) members: Option<&'static Members>,
}

/// Arguments that are written one by one.
#[derive(Debug)]
pub(super) struct Members {
    /// In front of a name, and between the name and the value.
    pub(super) name: [&'static str; 2],
    /// On both sides of a text that stands as it is; none where it is a string of JSON.
    pub(super) quote: Option<&'static str>,
    /// Behind a value.
    pub(super) back: &'static str,
    /// Between two of them.
    pub(super) between: &'static str,
}

/// How a model is told of tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// By its template.
    Template,
    /// By its template, which looks for them, as JSON, in a field of the first system message.
    Field(&'static str),
    /// By these words in front of what the user says; its template knows nothing of calls and results, either.
    Words(&'static str),
}

/// As models write them that were taught by one template for all: an object each, and nothing around them.
const OBJECTS: Block = Block {
    open: "",
    close: None,
    bare: &[],
    parse: calls::json_objects,
    writing: Writing {
        begin: "",
        call: ["{\"name\": \"", "\", \"arguments\": ", "}"],
        between: ", ",
        end: "",
        members: None,
    },
    offer: Offer::Template,
    told_by: &[],
};

const HERMES: Block = Block {
    open: "<tool_call>",
    close: Some("</tool_call>"),
    writing: Writing {
        call: [
            "<tool_call>\n{\"name\": \"",
            "\", \"arguments\": ",
            "}\n</tool_call>",
        ],
        between: "\n",
        ..OBJECTS.writing
    },
    told_by: &["<tool_call>"],
    ..OBJECTS
};

const MISTRAL: Block = Block {
    open: "[TOOL_CALLS]",
    parse: calls::mistral,
    writing: Writing {
        begin: "[TOOL_CALLS][",
        end: "]",
        ..OBJECTS.writing
    },
    told_by: &["[TOOL_CALLS]"],
    ..OBJECTS
};

const DEEPSEEK: Block = Block {
    open: calls::DEEPSEEK_BEGIN,
    close: Some(calls::DEEPSEEK_END),
    parse: calls::deepseek,
    writing: Writing {
        begin: calls::DEEPSEEK_BEGIN,
        call: [
            calls::DEEPSEEK_CALL_BEGIN,
            calls::DEEPSEEK_SEPARATOR,
            calls::DEEPSEEK_CALL_END,
        ],
        between: "",
        end: calls::DEEPSEEK_END,
        members: None,
    },
    told_by: &[calls::DEEPSEEK_BEGIN],
    ..OBJECTS
};

const PHI: Block = Block {
    open: "<|tool_call|>",
    close: Some("<|/tool_call|>"),
    writing: Writing {
        begin: "<|tool_call|>[",
        end: "]<|/tool_call|>",
        ..OBJECTS.writing
    },
    told_by: &["<|/tool_call|>"],
    ..OBJECTS
};

const LFM: Block = Block {
    open: "<|tool_call_start|>",
    close: Some("<|tool_call_end|>"),
    parse: literal::calls,
    writing: Writing {
        begin: "<|tool_call_start|>[",
        call: ["", "(", ")"],
        between: ", ",
        end: "]<|tool_call_end|>",
        members: Some(&Members {
            name: ["", "="],
            quote: None,
            back: "",
            between: ", ",
        }),
    },
    told_by: &["<|tool_call_start|>"],
    ..OBJECTS
};

/// Every way to mark calls; the first that a template tells counts.
static BLOCKS: &[Block] = &[
    // Qwen3-Coder, Qwen3.5.
    Block {
        parse: tagged::calls,
        writing: Writing {
            call: [
                "<tool_call>\n<function=",
                ">\n",
                "</function>\n</tool_call>",
            ],
            between: "\n",
            members: Some(&Members {
                name: ["<parameter=", ">\n"],
                quote: Some(""),
                back: "\n</parameter>\n",
                between: "",
            }),
            ..OBJECTS.writing
        },
        told_by: &["<tool_call>", "<function="],
        ..HERMES
    },
    // GLM, since 4.5.
    Block {
        parse: tagged::calls,
        writing: Writing {
            call: ["<tool_call>", "\n", "</tool_call>"],
            between: "\n",
            members: Some(&Members {
                name: ["<arg_key>", "</arg_key>\n<arg_value>"],
                quote: Some(""),
                back: "</arg_value>\n",
                between: "",
            }),
            ..OBJECTS.writing
        },
        told_by: &["<tool_call>", "<arg_key>"],
        ..HERMES
    },
    // Hermes, Qwen2.5, Qwen3, SmolLM3, Granite 4.
    HERMES,
    // Mistral, since its third version of them.
    Block {
        writing: Writing {
            begin: "",
            call: ["[TOOL_CALLS]", "[ARGS]", ""],
            between: "",
            end: "",
            members: None,
        },
        told_by: &["[TOOL_CALLS]", "[ARGS]"],
        ..MISTRAL
    },
    MISTRAL,
    // DeepSeek V3 and R1.
    Block {
        writing: Writing {
            call: [
                "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
                "\n```json\n",
                "\n```<｜tool▁call▁end｜>",
            ],
            between: "\n",
            ..DEEPSEEK.writing
        },
        told_by: &[calls::DEEPSEEK_BEGIN, "```json"],
        ..DEEPSEEK
    },
    // DeepSeek V3.1.
    DEEPSEEK,
    // Phi-4-mini, by templates that others wrote for it, and by its own, which shows no call.
    PHI,
    Block {
        offer: Offer::Field("tools"),
        told_by: &["<|tool|>", "message['tools']"],
        ..PHI
    },
    // Granite 3.
    Block {
        close: None,
        writing: Writing {
            begin: "<|tool_call|>[",
            end: "]",
            ..OBJECTS.writing
        },
        told_by: &["<|tool_call|>"],
        ..PHI
    },
    // LFM2 and 2.5, of which some templates show no call, and some no mark at all.
    LFM,
    Block {
        told_by: &["<|tool_list_start|>"],
        ..LFM
    },
    Block {
        told_by: &["<|im_start|>", "List of tools: "],
        ..LFM
    },
    // FunctionGemma.
    Block {
        open: "<start_function_call>",
        close: Some("<end_function_call>"),
        parse: literal::calls,
        writing: Writing {
            call: ["<start_function_call>call:", "{", "}<end_function_call>"],
            between: "",
            members: Some(&Members {
                name: ["", ":"],
                quote: Some("<escape>"),
                back: "",
                between: ",",
            }),
            ..OBJECTS.writing
        },
        told_by: &["<start_function_call>"],
        ..OBJECTS
    },
    // Gemma 4.
    Block {
        open: "<|tool_call>",
        close: Some("<tool_call|>"),
        parse: literal::calls,
        writing: Writing {
            call: ["<|tool_call>call:", "{", "}<tool_call|>"],
            between: "",
            members: Some(&Members {
                name: ["", ":"],
                quote: Some("<|\"|>"),
                back: "",
                between: ",",
            }),
            ..OBJECTS.writing
        },
        told_by: &["<|tool_call>"],
        ..OBJECTS
    },
    // Llama 3.1 to 3.3.
    Block {
        open: "<|python_tag|>",
        bare: &["{"],
        writing: Writing {
            call: ["{\"name\": \"", "\", \"parameters\": ", "}"],
            between: "; ",
            ..OBJECTS.writing
        },
        told_by: &["\"parameters\":"],
        ..OBJECTS
    },
    // Gemma 2 and 3, which call what a prompt describes and have no marks for it.
    Block {
        open: "```tool_code",
        close: Some("```"),
        bare: &["{", "[", "```json"],
        parse: literal::calls,
        writing: Writing {
            begin: "[",
            call: ["{\"name\": \"", "\", \"parameters\": ", "}"],
            end: "]",
            ..OBJECTS.writing
        },
        offer: Offer::Words(
            "You can call functions. To call some, answer with a JSON array that has an object for each call, and with nothing \
             else:\n[{\"name\": name of the function, \"parameters\": object of its arguments}]\nWhere none helps, answer in \
             plain text. The functions are:\n",
        ),
        told_by: &["<start_of_turn>"],
    },
];

impl Block {
    /// Of a model whose template for tools is this.
    pub(super) fn told_by(template: &str) -> Option<&'static Self> {
        let tells = |block: &&Self| block.told_by.iter().all(|it| template.contains(it));
        BLOCKS.iter().find(tells)
    }
}
