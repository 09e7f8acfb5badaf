// Names, levels and descriptions are BuildKit's (frontend/dockerfile/linter), so that scripts that know them go on
// working.
#include <tektii/dockerfile/lint.hpp>

#include <array>

namespace tektii::dockerfile {
namespace {

constexpr std::array k_rules = {
    LintRuleInfo{LintRule::stage_name_casing, "StageNameCasing", "Stage names should be lowercase",
                 "Write the name behind AS in lower case; names are compared without case."},
    LintRuleInfo{LintRule::from_as_casing, "FromAsCasing",
                 "The 'as' keyword should match the case of the 'from' keyword",
                 "Write both FROM ... AS in upper case or both in lower case."},
    LintRuleInfo{LintRule::no_empty_continuation, "NoEmptyContinuation",
                 "Empty continuation lines will become errors in a future release",
                 "Remove the empty line, or make it a comment."},
    LintRuleInfo{LintRule::consistent_instruction_casing, "ConsistentInstructionCasing",
                 "All commands within the Dockerfile should use the same casing (either upper or lower)",
                 "Write every instruction the way most of them are written."},
    LintRuleInfo{LintRule::duplicate_stage_name, "DuplicateStageName", "Stage names should be unique",
                 "Rename one of the stages: only the last of that name can be built or copied from."},
    LintRuleInfo{LintRule::reserved_stage_name, "ReservedStageName", "Reserved words should not be used as stage names",
                 "Choose another name: this one means something else to FROM and COPY --from."},
    LintRuleInfo{LintRule::json_args_recommended, "JSONArgsRecommended",
                 "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
                 "Write the command as a JSON array, so that no shell stands between it and its signals; where a shell "
                 "is wanted, say so with SHELL."},
    LintRuleInfo{LintRule::maintainer_deprecated, "MaintainerDeprecated",
                 "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
                 "Use LABEL org.opencontainers.image.authors=\"...\"."},
    LintRuleInfo{LintRule::undefined_arg_in_from, "UndefinedArgInFrom", "FROM command must use declared ARGs",
                 "Declare it with ARG before the first FROM."},
    LintRuleInfo{
        LintRule::workdir_relative_path, "WorkdirRelativePath",
        "Relative workdir without an absolute workdir declared within the build can have unexpected results if "
        "the base image changes",
        "Begin with an absolute WORKDIR."},
    LintRuleInfo{LintRule::undefined_var, "UndefinedVar", "Variables should be defined before their use",
                 "Define it with ARG or ENV in this stage; a dollar sign that is meant as such is written \\$."},
    LintRuleInfo{LintRule::multiple_instructions_disallowed, "MultipleInstructionsDisallowed",
                 "Multiple instructions of the same type should not be used in the same stage",
                 "Remove all of them but the last."},
    LintRuleInfo{LintRule::legacy_key_value_format, "LegacyKeyValueFormat",
                 "Legacy key/value format with whitespace separator should not be used", "Write KEY=VALUE."},
    LintRuleInfo{LintRule::invalid_base_image_platform, "InvalidBaseImagePlatform",
                 "Base image platform does not match expected target platform",
                 "Use an image that exists for the platform of the build."},
    LintRuleInfo{LintRule::redundant_target_platform, "RedundantTargetPlatform",
                 "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
                 "Leave --platform out."},
    LintRuleInfo{LintRule::secrets_used_in_arg_or_env, "SecretsUsedInArgOrEnv",
                 "Sensitive data should not be used in the ARG or ENV commands",
                 "Use RUN --mount=type=secret: values of ARG and ENV stay in the image and its history."},
    LintRuleInfo{LintRule::invalid_default_arg_in_from, "InvalidDefaultArgInFrom",
                 "Default value for global ARG results in an empty or invalid base image name",
                 "Give the ARG a default with which the build works."},
    LintRuleInfo{LintRule::from_platform_flag_const_disallowed, "FromPlatformFlagConstDisallowed",
                 "FROM --platform flag should not use a constant value",
                 "Use $BUILDPLATFORM or $TARGETPLATFORM, or put the platform into the name of the stage."},
    LintRuleInfo{LintRule::copy_ignored_file, "CopyIgnoredFile",
                 "Attempting to Copy file that is excluded by .dockerignore",
                 "Remove the pattern from the ignore file, or the source from the instruction."},
    LintRuleInfo{LintRule::invalid_definition_description, "InvalidDefinitionDescription",
                 "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If "
                 "this is not intended to be a description comment, add an empty line or comment between the "
                 "instruction and the comment.",
                 "Begin the comment with the name, or put an empty comment under it.", true},
    LintRuleInfo{LintRule::expose_proto_casing, "ExposeProtoCasing",
                 "Protocol in EXPOSE instruction should be lowercase", "Write tcp, udp or sctp."},
    LintRuleInfo{LintRule::expose_invalid_format, "ExposeInvalidFormat",
                 "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error "
                 "in a future release",
                 "Name the port of the container alone; the address is chosen when the container is run."},
};

// info_of() counts on the order.
constexpr bool is_in_order() {
  for (std::size_t i = 0; i < k_rules.size(); ++i) {
    if (static_cast<std::size_t>(k_rules[i].rule) != i) return false;
  }
  return true;
}
static_assert(is_in_order());

}  // namespace

std::span<const LintRuleInfo> lint_rules() {
  return k_rules;
}

const LintRuleInfo& info_of(LintRule rule) {
  return k_rules[static_cast<std::size_t>(rule)];
}

}  // namespace tektii::dockerfile
