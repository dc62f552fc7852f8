// Lint with type information; prettier alone decides the layout.
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "pkg", "pkg-conformance", "pkg-cpu", "pkg-cpu-test", "pkg-grammar", "src/generated"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/naming-convention": [
        "error",
        { selector: "typeLike", format: ["PascalCase"] },
        { selector: "variable", format: ["camelCase", "UPPER_CASE"] },
        // A class that is made for one model, by the name that the web platform has for it.
        { selector: "variable", filter: "^LanguageModel$", format: ["PascalCase"] },
        { selector: "function", format: ["camelCase"] },
      ],
      eqeqeq: "error",
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Named exports alone: a name is easier to find." },
        { selector: "TSEnumDeclaration", message: "A union of strings does the same and needs no code." },
        {
          selector:
            "MemberExpression[property.name=/^(innerHTML|outerHTML)$/], CallExpression[callee.property.name='insertAdjacentHTML']",
          message: "Build nodes: text of a model is never markup.",
        },
      ],
    },
  },
  {
    // What others wrote or read has their shape: a default export, a class as a constant.
    files: ["*.config.ts", "**/*.d.ts", "test/fake/engine.ts"],
    rules: {
      "no-restricted-syntax": "off",
      "@typescript-eslint/consistent-type-imports": "off",
      "@typescript-eslint/naming-convention": "off",
    },
  },
);
