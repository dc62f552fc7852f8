// LangChain with its OpenAI integration, for the browser tests: what the client's code takes of them.

export { HumanMessage, ToolMessage } from "@langchain/core/messages";
export { tool } from "@langchain/core/tools";
export { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
