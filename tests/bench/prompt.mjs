// Prompts of known lengths. They are raw text, so that nobody's chat template makes them differ, and no two of them begin
// alike, so that nothing kept of the last one is of use.

const STORY = `the baker of our street lights his oven at three o'clock, long before anybody else is awake. \
The first hour belongs to the dough that has rested overnight in wide wooden troughs. He turns it out on the table, cuts it \
by eye into pieces of the same weight, and shapes them so quickly that a visitor sees only flour in the air. \
While the first loaves bake he writes down the temperature, the weather and the kind of flour, as his father did, because \
bread that is perfect on a dry day in spring comes out flat and grey in a wet November. The notebooks fill two shelves above \
the sink. His daughter once spent a winter copying them into tables, and found that the best loaves of thirty years had \
all been made on days when the window was open and the river was low. He did not believe a word of it, but since then \
he looks at the river every evening before he mixes the dough. By six the shelves are full and the bell over the door begins \
to ring. Nurses on their way home from the night shift come first, then the drivers of the early buses, then the school \
children who want the warm rolls with seeds. Everyone has a place in the order, and a stranger who comes at the wrong time \
is looked at with mild surprise. The old teacher from the third floor buys half a loaf every day but Sunday, when she buys a \
whole one and a cake, although nobody has ever been seen to visit her. At nine the baker's wife takes over the shop, and \
he carries what is left of the dark bread across the square to the kitchen of the school, where it is cut for soup. He sleeps \
from ten until the early afternoon. Then he repairs what has broken, orders flour and salt, argues with the man from the mill \
about the price of rye, and feeds the sour dough, which is older than the house and has survived a flood, two moves and a \
summer in which he forgot it for a week. People have offered him money for a cup of it. He gives it away for nothing, with \
a page of instructions in his own hand, and asks only that they come back after a year and tell him what has become of it. \
Some do. One woman brought a loaf from an island in the north, baked in the ground beside a hot spring, and he kept \
a slice of it under glass until it fell to dust`;

/** Each begins with another token. */
const BEGINNINGS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/** Characters of the story for prompts of about so many tokens. */
const CHARACTERS = { 32: 100, 128: 570, 512: 2270, 4096: 18_200 };

export const SIZES = Object.keys(CHARACTERS).map(Number);
/** Those that a software adapter has done before the reader has gone. */
export const USUAL_SIZES = [32, 128, 512];

/**
 * A prompt of about `size` tokens, to a model whose tokens are `bytes` of just so many. Two whose `turn` is not the same
 * modulo 12 have no beginning in common.
 */
export function prompt(size, turn, bytes = false) {
  const story = `${STORY}. `.repeat(Math.ceil(CHARACTERS[size] / STORY.length));
  const beginning = `${BEGINNINGS[turn % BEGINNINGS.length]} is a good month to tell how `;
  if (bytes) return `${beginning}${story}`.slice(0, size);
  const text = story.slice(0, CHARACTERS[size]);
  return `${beginning}${text.slice(0, text.lastIndexOf(" "))}`;
}

/** A short prompt, and what a model that works goes on with. */
export const CHECK = { prompt: "The capital of France is", tokens: 8, expected: " Paris" };
