// Rules about how a file is written.
#include "lint_cases.hpp"

namespace {

std::vector<LintCase> stage_name_cases() {
  return {
      {"StageNameLower", "FROM scratch AS base\n", {}},
      {"StageNameNone", "FROM scratch\n", {}},
      {"StageNameOneCapital", "FROM scratch AS Base\n", {"1 StageNameCasing: Stage name 'Base' should be lowercase"}},
      {"StageNameAllCapitals", "FROM scratch AS BASE\n", {"1 StageNameCasing: Stage name 'BASE' should be lowercase"}},
      {"StageNameInnerCapital",
       "FROM scratch AS a-b.C_1\n",
       {"1 StageNameCasing: Stage name 'a-b.C_1' should be lowercase"}},
      {"StageNameSymbols", "FROM scratch AS a-b.c_1\n", {}},
      {"StageNameSecond",
       "FROM scratch AS one\nFROM scratch AS Two\n",
       {"2 StageNameCasing: Stage name 'Two' should be lowercase"}},
      {"StageNameUnreachable",
       "FROM scratch AS One\nFROM scratch\n",
       {"1 StageNameCasing: Stage name 'One' should be lowercase"}},
      {"StageNameUseIsFine", "FROM scratch AS base\nFROM scratch\nCOPY --from=BASE /a /a\n", {}},
      {"StageNameBehindPlatform",
       "FROM --platform=$BUILDPLATFORM scratch AS Tools\n",
       {"1 StageNameCasing: Stage name 'Tools' should be lowercase"}},
  };
}

std::vector<LintCase> as_casing_cases() {
  return {
      {"AsUpper", "FROM scratch AS a\n", {}},
      {"AsLower", "from scratch as a\n", {}},
      {"AsLowerBehindUpper", "FROM scratch as a\n", {"1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"}},
      {"AsUpperBehindLower", "from scratch AS a\n", {"1 FromAsCasing: 'AS' and 'from' keywords' casing do not match"}},
      {"AsMixed", "FROM scratch As a\n", {"1 FromAsCasing: 'As' and 'FROM' keywords' casing do not match"}},
      {"AsBehindMixedFrom",
       "From scratch as a\n",
       {"1 ConsistentInstructionCasing: Command 'From' should match the case of the command majority (uppercase)"}},
      {"AsBehindFlag",
       "FROM --platform=$BUILDPLATFORM scratch as a\n",
       {"1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"}},
      {"AsOfEachStage",
       "FROM scratch AS a\nFROM scratch as b\n",
       {"2 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"}},
  };
}

std::vector<LintCase> continuation_cases() {
  return {
      {"ContinuationPlain", "FROM scratch\nLABEL a=1 \\\n  b=2\n", {}},
      {"ContinuationComment", "FROM scratch\nLABEL a=1 \\\n  # why\n  b=2\n", {}},
      {"ContinuationEmptyComment", "FROM scratch\nLABEL a=1 \\\n#\n  b=2\n", {}},
      {"ContinuationEmpty",
       "FROM scratch\nLABEL a=1 \\\n\n  b=2\n",
       {"4 NoEmptyContinuation: Empty continuation line"}},
      {"ContinuationBlanksOnly",
       "FROM scratch\nLABEL a=1 \\\n   \n  b=2\n",
       {"4 NoEmptyContinuation: Empty continuation line"}},
      {"ContinuationTwoEmptyAreOne",
       "FROM scratch\nLABEL a=1 \\\n\n\n  b=2 \\\n\n c=3\n",
       {"7 NoEmptyContinuation: Empty continuation line"}},
      {"ContinuationAtEnd", "FROM scratch\nLABEL a=1 \\\n\n", {"3 NoEmptyContinuation: Empty continuation line"}},
      {"ContinuationBacktick",
       "# escape=`\nFROM scratch\nLABEL a=1 `\n\n  b=2\n",
       {"5 NoEmptyContinuation: Empty continuation line"}},
      {"ContinuationCrLf",
       "FROM scratch\r\nLABEL a=1 \\\r\n\r\n  b=2\r\n",
       {"4 NoEmptyContinuation: Empty continuation line"}},
      {"ContinuationBeforeHeredoc",
       "FROM scratch\nRUN \\\n\n  <<EOF\n\necho\nEOF\n",
       {"4 NoEmptyContinuation: Empty continuation line"}},
      {"ContinuationOfTrigger",
       "FROM scratch\nONBUILD RUN \\\n\n  <<EOF\necho\nEOF\n",
       {"4 NoEmptyContinuation: Empty continuation line"}},
      {"ContinuationInHeredocIsText", "FROM scratch\nRUN <<EOF\necho \\\n\necho\nEOF\n", {}},
  };
}

std::vector<LintCase> instruction_casing_cases() {
  return {
      {"CasingUpper", "FROM scratch\nLABEL a=1\nUSER 1\n", {}},
      {"CasingLower", "from scratch\nlabel a=1\nuser 1\n", {}},
      {"CasingOneLower",
       "FROM scratch\nLABEL a=1\nuser 1\n",
       {"3 ConsistentInstructionCasing: Command 'user' should match the case of the command majority (uppercase)"}},
      {"CasingOneUpper",
       "from scratch\nLABEL a=1\nuser 1\n",
       {"2 ConsistentInstructionCasing: Command 'LABEL' should match the case of the command majority (lowercase)"}},
      {"CasingMixed",
       "FROM scratch\nLabel a=1\n",
       {"2 ConsistentInstructionCasing: Command 'Label' should match the case of the command majority (uppercase)"}},
      {"CasingMixedDoesNotVote",
       "from scratch\nLabel a=1\nUser 1\n",
       {"2 ConsistentInstructionCasing: Command 'Label' should match the case of the command majority (lowercase)",
        "3 ConsistentInstructionCasing: Command 'User' should match the case of the command majority (lowercase)"}},
      {"CasingTieIsUpper",
       "FROM scratch\nlabel a=1\n",
       {"2 ConsistentInstructionCasing: Command 'label' should match the case of the command majority (uppercase)"}},
      {"CasingOfGlobalArg", "arg A=1\nFROM scratch\n", {}},
      {"CasingAcrossStages",
       "FROM scratch AS a\nUSER 1\nfrom scratch as b\n",
       {"3 ConsistentInstructionCasing: Command 'from' should match the case of the command majority (uppercase)"}},
      {"CasingOfTrigger", "FROM scratch\nONBUILD run true\n", {}},
  };
}

std::vector<LintCase> stage_set_cases() {
  return {
      {"NamesUnique", "FROM scratch AS a\nFROM scratch AS b\nFROM scratch\nFROM scratch\n", {}},
      {"NamesTwice",
       "FROM scratch AS a\nFROM scratch AS a\n",
       {"2 DuplicateStageName: Duplicate stage name \"a\", stage names should be unique"}},
      {"NamesThreeTimes",
       "FROM scratch AS a\nFROM scratch AS a\nFROM scratch AS a\n",
       {"2 DuplicateStageName: Duplicate stage name \"a\", stage names should be unique",
        "3 DuplicateStageName: Duplicate stage name \"a\", stage names should be unique"}},
      {"NamesDifferInCase",
       "FROM scratch AS a\nFROM scratch AS A\n",
       {"2 StageNameCasing: Stage name 'A' should be lowercase",
        "2 DuplicateStageName: Duplicate stage name \"a\", stage names should be unique"}},
      {"NamesOfImageAreFree", "FROM alpine AS alpine\n", {}},
      {"NamesTwoDuplicates",
       "FROM scratch AS a\nFROM scratch AS b\nFROM scratch AS a\nFROM scratch AS b\n",
       {"3 DuplicateStageName: Duplicate stage name \"a\", stage names should be unique",
        "4 DuplicateStageName: Duplicate stage name \"b\", stage names should be unique"}},
      {"ReservedScratch",
       "FROM alpine AS scratch\n",
       {"1 ReservedStageName: Stage name should not use the same name as reserved stage \"scratch\""}},
      {"ReservedContext",
       "FROM scratch AS context\n",
       {"1 ReservedStageName: Stage name should not use the same name as reserved stage \"context\""}},
      {"ReservedInCapitals",
       "FROM scratch AS Context\n",
       {"1 StageNameCasing: Stage name 'Context' should be lowercase",
        "1 ReservedStageName: Stage name should not use the same name as reserved stage \"context\""}},
      {"ReservedAsBaseIsFine", "FROM scratch AS a\n", {}},
      {"ReservedLonger", "FROM scratch AS scratchpad\nFROM scratch AS contexts\n", {}},
      {"ReservedTwice",
       "FROM scratch AS context\nFROM scratch AS context\n",
       {"1 ReservedStageName: Stage name should not use the same name as reserved stage \"context\"",
        "2 ReservedStageName: Stage name should not use the same name as reserved stage \"context\"",
        "2 DuplicateStageName: Duplicate stage name \"context\", stage names should be unique"}},
  };
}

std::vector<LintCase> maintainer_cases() {
  const std::string text = "MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label";
  return {
      {"MaintainerGiven", "FROM scratch\nMAINTAINER me\n", {"2 " + text}},
      {"MaintainerLower", "from scratch\nmaintainer me@example.com\n", {"2 " + text}},
      {"MaintainerTwice", "FROM scratch\nMAINTAINER me\nMAINTAINER you\n", {"2 " + text, "3 " + text}},
      {"MaintainerUnreachable", "FROM scratch AS a\nMAINTAINER me\nFROM scratch\n", {"2 " + text}, {}, "1"},
      {"MaintainerContinued", "FROM scratch\nMAINTAINER me \\\n  and you\n", {"2 " + text}},
      {"MaintainerAsLabel", "FROM scratch\nLABEL maintainer=me\n", {}},
  };
}

std::vector<LintCase> description_cases() {
  const std::string on = "# check=experimental=InvalidDefinitionDescription\n";
  const auto arg = [](const std::string& line, const std::string& name) {
    return line + " InvalidDefinitionDescription: Comment for ARG should follow the format: `# " + name +
           " <description>`";
  };
  const auto from = [](const std::string& line, const std::string& name) {
    return line + " InvalidDefinitionDescription: Comment for FROM should follow the format: `# " + name +
           " <description>`";
  };
  return {
      {"DescriptionOffByDefault", "# anything\nARG A=1\nFROM scratch\n", {}},
      {"DescriptionOfArg", on + "# A is a number\nARG A=1\nFROM scratch\n", {}},
      {"DescriptionOfStage", on + "# base is it\nFROM scratch AS base\n", {}},
      {"DescriptionOfOther", on + "# other text\nARG A=1\nFROM scratch\n", {arg("3", "A")}},
      {"DescriptionOfStageInCapitals", on + "# Base is it\nFROM scratch AS base\n", {from("3", "base")}},
      {"DescriptionOfNamelessStage", on + "# whatever\nFROM scratch\n", {}},
      {"DescriptionOfSeveralArgs", on + "FROM scratch\n# B is one of them\nARG A=1 B=2\n", {}},
      {"DescriptionOfNoneOfSeveral", on + "FROM scratch\n# C is none\nARG A=1 B=2\n", {arg("4", "<arg_key>")}},
      {"DescriptionEndedByEmptyComment", on + "# a remark\n#\nARG A=1\nFROM scratch\n", {}},
      {"DescriptionLastCommentCounts", on + "# a remark\n# A is it\nARG A=1\nFROM scratch\n", {}},
      {"DescriptionFirstCommentDoesNot", on + "# A is it\n# a remark\nARG A=1\nFROM scratch\n", {arg("4", "A")}},
      {"DescriptionAcrossEmptyLine", on + "# a remark\n\nARG A=1\nFROM scratch\n", {arg("4", "A")}},
      {"DescriptionOfRunIsFree", on + "FROM scratch\n# a remark\nUSER 1\n", {}},
      {"DescriptionOfNameAlone", on + "# A\nARG A=1\nFROM scratch\n", {}},
  };
}

}  // namespace

std::vector<LintCase> lint_structure_cases() {
  std::vector<LintCase> all;
  for (const auto& cases : {stage_name_cases(), as_casing_cases(), continuation_cases(), instruction_casing_cases(),
                            stage_set_cases(), maintainer_cases(), description_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}
