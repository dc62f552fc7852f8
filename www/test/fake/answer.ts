// What the fake engine answers: a text with everything that the page can show.

export const ANSWER = `The **puna** is the high grassland of the central Andes, between the tree line and the snow. Three things define it:

- *Altitude*: most of it lies between 3,200 and 5,000 metres.
- *Climate*: warm days in the sun, frost on most nights.
- *Life*: tussocks of ichu grass, and the **llamas** and alpacas that graze on them.

## A small example

Here is how to count a herd in Python, with \`sum\`:

\`\`\`python
herd = {"llama": 12, "alpaca": 30, "vicuña": 7}

def count(animals: dict[str, int]) -> int:
    return sum(animals.values())  # 49, and <b>this is not bold</b>
\`\`\`

1. Put the animals into a dictionary.
2. Add up its values.

Is there anything else you would like to know?`;
