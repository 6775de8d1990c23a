"""What everybody is to see and to be refused, declared once per type and per principal; the matrix derives the rest.

A row is named as in `tenancy/two_towns.py`. Behind each stand the principals who see it, and nobody else does.
"""

# Who holds which permission; a principal who is not here holds none.
_PERSON = {"PERSON", "ACCOUNT", "MEMBER"}
_MEMBER = {*_PERSON, "CARE"}
_MANAGER = {"MANAGE_ORGANIZATION", "MANAGE_LOCATION", "LIST_USERS"}
_GRANTABLE = {"CREATE_DEPLOYMENT", "CREATE_ASSESSMENT", "ASSESSMENT_AUTHOR", *_MANAGER}
_SUPERUSER = {*_MEMBER, *_GRANTABLE, "ORGANIZATION", "MANAGE_USERS", "MANAGE_LABELS", "MANAGE_APPLICATIONS"}
_SUPERUSER |= {"AUDIT", "API_KEYS"}
_PROGRAM = {"MEMBER", "CARE", "APPLICATION", "API_KEYS", "LIST_USERS"}
HOLDS: dict[str, set[str]] = {
    "ada": _SUPERUSER,
    "ben": {*_MEMBER, "CREATE_ASSESSMENT"},
    "cleo": {*_MEMBER, "CREATE_DEPLOYMENT"},
    "manager": {*_MEMBER, *_MANAGER},
    "auditor": {*_MEMBER, "AUDIT"},
    "wanderer": _MEMBER,
    "undecided": _PERSON,
    "olga": _SUPERUSER,
    "otto": {*_MEMBER, "CREATE_DEPLOYMENT"},
    "calculator": {"CALCULATE"},
    "program": {*_PROGRAM, "ORGANIZATION", "MANAGE_LABELS"},
    "limited": _PROGRAM,
    "owner": {"APPLICATION_SECRET"},
    "respondent": {"RESPOND"},
}
# What root fields ask for; `CARE` where nothing is said here.
NEEDS: dict[str, str | None] = {
    "hello": None,
    "authenticate": None,
    "users": "LIST_USERS",
    "currentUser": "ACCOUNT",
    "organization": "MEMBER",
    "organizations": "MEMBER",
    "location": "MEMBER",
    "locations": "MEMBER",
    "createOrganization": "PERSON",
    "createOrganizationForUser": "PERSON",
    "updateOrganization": "MANAGE_ORGANIZATION",
    "createLocation": "MANAGE_LOCATION",
    "updateLocation": "MANAGE_LOCATION",
    "organizationStatistics": "ORGANIZATION",
    "remainingCalculatorRequests": "CALCULATE",
    "userPermissions": "MANAGE_ORGANIZATION",
    "setUserPermissions": "MANAGE_ORGANIZATION",
    "invitation": "MANAGE_ORGANIZATION",
    "invitations": "MANAGE_ORGANIZATION",
    "createInvitation": "MANAGE_ORGANIZATION",
    "resendInvitation": "MANAGE_ORGANIZATION",
    "deleteInvitation": "MANAGE_ORGANIZATION",
    "openInvitation": None,
    "acceptInvitation": None,
    "features": None,  # asks for CARE or RESPOND by itself
    "switchFeature": "MANAGE_ORGANIZATION",
    "createUser": "MANAGE_USERS",
    "deleteUser": "MANAGE_USERS",
    "addUserRole": "MANAGE_USERS",
    "removeUserRole": "MANAGE_USERS",
    "signOut": "ACCOUNT",
    "signUserOut": "MANAGE_USERS",
    "createGroup": "ORGANIZATION",
    "updateGroup": "ORGANIZATION",
    "deleteGroup": "ORGANIZATION",
    "setUserGroups": "MANAGE_ORGANIZATION",
    "createLabel": "MANAGE_LABELS",
    "updateLabel": "MANAGE_LABELS",
    "deleteLabel": "MANAGE_LABELS",
    "calculateOrsTrajectory": "CALCULATE",
    **dict.fromkeys(
        (
            "createItemScoreConfig",
            "createScaleScoreConfig",
            "createDomainScoreConfig",
            "updateScoreConfig",
            "deleteScoreConfig",
            "createCustomCalculation",
            "updateCustomCalculation",
            "deleteCustomCalculation",
            "createCalculationVariable",
            "updateCalculationVariable",
            "deleteCalculationVariable",
            "createPercentileRankConfig",
            "updatePercentileRankConfig",
            "deletePercentileRankConfig",
            "createScaleResultRange",
            "createDomainResultRange",
            "updateResultRange",
            "deleteResultRange",
        ),
        "CREATE_ASSESSMENT",
    ),
    "eraseClient": "ORGANIZATION",
    "auditEvent": "AUDIT",
    "auditEvents": "AUDIT",
    **dict.fromkeys(("accessToken", "apiKey", "deleteApiKey"), "API_KEYS"),
    "apiKeys": "APPLICATION",
    "createApiKey": "APPLICATION_SECRET",
    **dict.fromkeys(("application", "applications", "calculatorPlan", "calculatorPlans"), "MANAGE_APPLICATIONS"),
    **dict.fromkeys(
        ("createApplication", "updateApplication", "rotateApplicationSecret", "setApplicationGroups"),
        "MANAGE_APPLICATIONS",
    ),
    **dict.fromkeys(("deleteApplication", "revokeAccessToken"), "MANAGE_APPLICATIONS"),
    **dict.fromkeys(
        ("createCalculatorPlan", "updateCalculatorPlan", "rotateCalculatorCredentials", "revokeCalculatorCredentials"),
        "MANAGE_APPLICATIONS",
    ),
    # Content: assessments, scales and domains, and whom they are shared with.
    **dict.fromkeys(
        (
            f"{verb}{kind}"
            for verb in ("create", "update", "clone", "archive")
            for kind in ("Assessment", "Scale", "Domain")
        ),
        "CREATE_ASSESSMENT",
    ),
    **dict.fromkeys(
        (
            *("addScaleToAssessment", "removeScaleFromAssessment", "addDomainToAssessment"),
            *("removeDomainFromAssessment", "addScaleToDomain", "removeScaleFromDomain"),
            *("grantAssessmentAccess", "grantItemAccess", "grantScaleAccess", "grantDomainAccess", "deleteAccessGrant"),
            *("shareAssessmentWithOrganizations", "shareAssessmentWithVerticals"),
        ),
        "CREATE_ASSESSMENT",
    ),
    "installInstrument": "CREATE_ASSESSMENT",
    **dict.fromkeys(("createNetworkMember", "deleteNetworkMember"), "MANAGE_ORGANIZATION"),
    **dict.fromkeys(("createItem", "updateItem", "cloneItem", "archiveItem"), "CREATE_ASSESSMENT"),
    **dict.fromkeys(
        ("createItemOption", "createItemOptions", "updateItemOption", "deleteItemOption"), "CREATE_ASSESSMENT"
    ),
    **dict.fromkeys(
        ("createAssessmentItem", "updateAssessmentItem", "deleteAssessmentItem", "updateItemScale"), "CREATE_ASSESSMENT"
    ),
    **dict.fromkeys(("addItemToScale", "removeItemFromScale"), "CREATE_ASSESSMENT"),
    **dict.fromkeys(("createTag", "updateTag", "deleteTag"), "CREATE_ASSESSMENT"),
    **dict.fromkeys((f"set{kind}Tags" for kind in ("Assessment", "Domain", "Item", "Scale")), "CREATE_ASSESSMENT"),
    **dict.fromkeys((f"addTagTo{kind}" for kind in ("Domain", "Item", "Scale")), "CREATE_ASSESSMENT"),
    **dict.fromkeys((f"removeTagFrom{kind}" for kind in ("Domain", "Item", "Scale")), "CREATE_ASSESSMENT"),
}
# What lacking a permission is told as; `FORBIDDEN` where nothing is said here.
REFUSALS = {
    "nobody": ("UNAUTHENTICATED", "Authentication failed"),
    "disabled": ("UNAUTHENTICATED", "Authentication failed"),
    "undecided": ("ORGANIZATION_REQUIRED", "Say in X-Organization in which organization you act"),
}
FORBIDDEN = ("FORBIDDEN", "Access denied")

_NORTHFIELD = "ada ben cleo manager auditor wanderer program limited"
_HARBOR = "olga otto"
# Ann and Bo are in the group that `limited` reaches.
_ANNS, _BOS, _ZOES = "ada ben program limited", "ada cleo program limited", "ada cleo program"

SEEN: dict[str, dict[str, str]] = {
    "Organization": {"northfield": f"{_NORTHFIELD} undecided", "harbor": f"{_HARBOR} wanderer undecided"},
    "Location": {"location": f"{_NORTHFIELD} undecided", "harbor_location": f"{_HARBOR} wanderer undecided"},
    "User": {
        **dict.fromkeys(("ada", "ben", "cleo", "manager", "auditor", "disabled"), _NORTHFIELD),
        **dict.fromkeys(("olga", "otto"), _HARBOR),
        "wanderer": f"{_NORTHFIELD} {_HARBOR}",
    },
    "ApiToken": {
        **{f"{one}_token": one for one in ("ada", "ben", "cleo", "manager", "auditor", "wanderer", "olga", "otto")},
        "disabled_token": "",
    },
    "Group": {"group": _NORTHFIELD, "harbor_group": _HARBOR},
    "GrantedPermission": {
        "granted": "ada manager ben",
        "cleos_granted": "ada manager cleo",
        "managing": "ada manager",
        "harbor_granted": _HARBOR,
    },
    "Invitation": {"invitation": "ada manager", "harbor_invitation": "olga"},
    "FeatureFlag": {"feature": "ada manager ben", "harbor_feature": _HARBOR},
    "Label": {"label": _NORTHFIELD, "harbor_label": _HARBOR},
    "Application": {"application": "ada limited", "own_application": "ada program", "harbor_application": "olga"},
    "AccessToken": {"access_token": "ada", "own_access_token": "ada program", "harbor_access_token": "olga"},
    "ApiKey": {"api_key": "ada limited", "own_api_key": "ada program", "harbor_api_key": "olga"},
    "CalculatorPlan": {"calculator_plan": "ada", "plan": "ada", "own_plan": "ada", "harbor_plan": "olga"},
    "Client": {"ann": _ANNS, "bo": _BOS, "zoe": _ZOES, "kay": _HARBOR},
    "Consent": {"ann_consent": _ANNS, "bo_consent": _BOS, "harbor_consent": _HARBOR},
    "File": {"ann_file": _ANNS, "bo_file": _BOS, "harbor_file": _HARBOR},
    "Episode": {"alone": _ANNS, "shared": f"{_BOS} ben", "zoes": _ZOES, "harbor_episode": _HARBOR},
    "Rater": {"ann_rater": _ANNS, "bo_rater": _BOS, "harbor_rater": _HARBOR},
    "Session": {
        "alone_session": _ANNS,
        "session": f"{_BOS} ben",
        "zoe_session": _ZOES,
        "harbor_session": _HARBOR,
    },
    "OrsScore": {
        **dict.fromkeys(("ann_ors", "ann_rated"), _ANNS),
        **dict.fromkeys(("bo_ors", "bo_rated"), _BOS),
        "zoe_ors": _ZOES,
        "harbor_ors": _HARBOR,
    },
    "SrsScore": {"ann_srs": _ANNS, "bo_srs": _BOS, "harbor_srs": _HARBOR},
    # Northfield's content is its members', what is still a draft of a score config its authors'.
    **{
        kind: {name: _NORTHFIELD, f"harbor_{name}": _HARBOR}
        for kind, name in {
            "Item": "item",
            "ItemOption": "option",
            "Scale": "scale",
            "Domain": "domain",
            "AssessmentItem": "placed",
            "AssessmentScale": "scale_placed",
            "AssessmentDomain": "domain_placed",
            "ItemScale": "weighed",
            "DomainScale": "in_domain",
            "Tag": "tag",
            "PercentileRankConfig": "norm",
            "ResultRange": "range",
            "AccessGrant": "grant",
            "VerticalAccessGrant": "vertical_grant",
            "NetworkMember": "network_member",
        }.items()
    },
    "Assessment": {
        **dict.fromkeys(("assessment", "related"), _NORTHFIELD),
        **dict.fromkeys(("harbor_assessment", "harbor_related"), _HARBOR),
    },
    "ScoreConfig": {"config": _NORTHFIELD, "draft": "ada ben", "harbor_config": _HARBOR, "harbor_draft": "olga"},
    "CustomCalculation": {"calculation": "ada ben", "harbor_calculation": "olga"},
    "CalculationVariable": {"variable": "ada ben", "harbor_variable": "olga"},
    "AnswerSet": {"answers": _ANNS, "harbor_answers": _HARBOR},
    "ItemResponse": {"response": _ANNS, "harbor_response": _HARBOR},
    "AnswerScore": {"answer_score": _ANNS, "harbor_answer_score": _HARBOR},
    "AuditEvent": {"northfield_event": "ada auditor", "harbor_event": "olga"},
}
# Types of which there is more with every request: of their lists only the rows above are looked for.
GROWING = {"AuditEvent"}

# What only oneself and superusers may do: mutation of the row named `user` and whose it is, by town.
OF_ONESELF = {"updateUser"}


def sees(principal: str, row: str) -> bool:
    """Whether `principal` is to see the row of that name."""
    return any(principal in rows[row].split() for rows in SEEN.values() if row in rows)


def town_of(principal: str) -> str:
    """The superuser of the organization in which `principal` acts."""
    return "olga" if principal in _HARBOR.split() else "ada"


def refused_at(principal: str, field: str) -> tuple[str, str] | None:
    """How `principal` is refused a root field; null if it is not."""
    return refusal(principal, NEEDS.get(field, "CARE"))


def refusal(principal: str, needs: str | None) -> tuple[str, str] | None:
    """How `principal` is refused what asks for `needs`; null if it is not."""
    if needs is None or needs in HOLDS.get(principal, set()):
        return None
    return REFUSALS.get(principal, FORBIDDEN)


def reads_private(principal: str, row: str) -> bool:
    """Whether `principal` is to read what is personal of a visible row."""
    return principal in {row, town_of(principal)}


def reads_at_work(principal: str, row: str) -> bool:
    """Whether `principal` is to read what is known at work of a visible row."""
    return reads_private(principal, row) or "LIST_USERS" in HOLDS[principal]
